"""The worker with the real memory queue, a real model and real pictures."""

import asyncio
import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jobs.contract import Delivery, GenerateJob, JobFailure, JobId, JobOutcome, JobResult, Lane, PictureFormat
from jobs.errors import QueueUnavailable
from jobs.memory_queue import MemoryQueue, MemorySource
from jobs.queue import DEFAULT_POLICY, JobSource
from models.catalogue import Catalogue
from models.engines.engine import Array
from worker.config import WorkerConfig
from worker.errors import NothingToServe
from worker.loaded_models import LoadedModel, LoadedModels
from worker.loop import Worker
from worker.pictures import EncodedPicture
from worker.tasks.generate import GenerateTask
from worker.tasks.task import Task

pytestmark = pytest.mark.anyio

CONFIG = WorkerConfig(worker_id="test", device="cpu", threads=1, stop_grace_s=10.0)
WAIT_MS = 20_000


class Bench:
    """A worker that can be started and stopped around a test's jobs."""

    def __init__(self, catalogue: Catalogue, source: JobSource | None = None, queue: MemoryQueue | None = None) -> None:
        self.queue = queue or MemoryQueue()
        self.submitter = self.queue.submitter
        self.source = source or self.queue.source
        self.catalogue = catalogue
        self.model = catalogue.named("tiny").manifest.digest

    def job(self, seed: int, **fields: object) -> GenerateJob:
        plain = GenerateJob(self.model, seed, truncation_psi=0.7, size=32, format=PictureFormat.PNG)
        return replace(plain, **fields)  # type: ignore[arg-type]

    def worker(self, task: Task | None = None, config: WorkerConfig = CONFIG) -> Worker:
        tasks = {"generate": task or GenerateTask()}
        return Worker(config, self.source, LoadedModels(self.catalogue, config), tasks)

    @contextmanager
    def working(self, task: Task | None = None, config: WorkerConfig = CONFIG) -> Iterator[Worker]:
        worker = self.worker(task, config)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join(5)
            assert not thread.is_alive()

    async def submit(self, jobs: Sequence[GenerateJob], lane: Lane = Lane.QUICK) -> list[JobId]:
        return [await self.submitter.submit(job, lane=lane, timeout_ms=WAIT_MS) for job in jobs]

    async def outcomes(self, ids: Sequence[JobId]) -> list[JobOutcome | None]:
        return await asyncio.gather(*(self.submitter.wait(job_id, timeout_ms=WAIT_MS) for job_id in ids))

    async def pictures(self, ids: Sequence[JobId]) -> list[Image.Image]:
        outcomes = await self.outcomes(ids)
        assert all(isinstance(outcome, JobResult) for outcome in outcomes), outcomes
        return [Image.open(io.BytesIO(outcome.body)) for outcome in outcomes if isinstance(outcome, JobResult)]


@pytest.fixture
def bench(tiny_catalogue: Catalogue) -> Bench:
    return Bench(tiny_catalogue)


class WatchedTask(GenerateTask):
    """Generates, and lets a test see and delay each verb by the seeds in hand."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self._seeds = threading.local()

    def prepare(self, jobs: Sequence[GenerateJob], model: LoadedModel) -> dict[str, Array]:
        self._seeds.now = [job.seed for job in jobs]
        self.runs.append(self._seeds.now)
        return super().prepare(jobs, model)

    def run(self, inputs: Mapping[str, Array], model: LoadedModel) -> Array:
        self.on_run(self._seeds.now)
        return super().run(inputs, model)

    def on_run(self, seeds: list[int]) -> None:
        pass


async def test_each_job_becomes_the_picture_it_asks_for(bench: Bench) -> None:
    wanted = [
        bench.job(seed, size=size, format=picture_format)
        for seed, (size, picture_format) in enumerate((s, f) for s in (32, 20) for f in PictureFormat)
    ]
    ids = await bench.submit(wanted)
    with bench.working():
        outcomes = await bench.outcomes(ids)
    for job, outcome in zip(wanted, outcomes, strict=True):
        assert isinstance(outcome, JobResult)
        image = Image.open(io.BytesIO(outcome.body))
        assert (image.size, image.format) == ((job.size, job.size), job.format.name)
        assert outcome.media_type == job.format.media_type
        assert outcome.batch_size == 6, "they were all waiting when the worker began"
        assert set(outcome.timings_ms) == {"queue_wait", "inference", "encode"}
        assert all(took >= 0 for took in outcome.timings_ms.values())


async def test_a_face_is_the_same_alone_and_in_company(bench: Bench) -> None:
    together_ids = await bench.submit([bench.job(seed) for seed in range(8)])
    with bench.working():
        together = [np.asarray(image).astype(int) for image in await bench.pictures(together_ids)]
        for seed, expected in enumerate(together):
            (alone,) = await bench.pictures(await bench.submit([bench.job(seed)]))
            assert np.abs(np.asarray(alone).astype(int) - expected).max() <= 1
    assert np.abs(together[0] - together[1]).max() > 8


class PoisonedTask(WatchedTask):
    def on_run(self, seeds: list[int]) -> None:
        if 5 in seeds:
            raise RuntimeError("seed 5 is poison")


async def test_a_poison_job_is_isolated_and_its_companions_are_done(bench: Bench) -> None:
    ids = await bench.submit([bench.job(seed) for seed in range(8)])
    task = PoisonedTask()
    with bench.working(task) as worker:
        outcomes = await bench.outcomes(ids)
        figures = worker.metrics.figures()
    poisoned = outcomes.pop(5)
    assert all(isinstance(outcome, JobResult) for outcome in outcomes)
    assert isinstance(poisoned, JobFailure)
    assert poisoned.code == "job-failed"
    assert "seed 5 is poison" in poisoned.reason
    halves = [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3], [4, 5, 6, 7], [4, 5], [4], [5], [6, 7]]
    assert task.runs == [*halves, [5], [5]], "split to the one, then two more deliveries of it alone"
    assert figures.retried == DEFAULT_POLICY.max_deliveries
    assert (await bench.submitter.state()).dead == 1


class UnencodableTask(GenerateTask):
    def finish(self, job: GenerateJob, picture: Array) -> EncodedPicture:
        if job.seed == 1:
            raise OSError("no picture of seed 1")
        return super().finish(job, picture)


async def test_a_picture_that_cannot_be_encoded_fails_alone(bench: Bench) -> None:
    ids = await bench.submit([bench.job(seed) for seed in range(3)])
    with bench.working(UnencodableTask()):
        first, second, third = await bench.outcomes(ids)
    assert isinstance(first, JobResult)
    assert isinstance(third, JobResult)
    assert isinstance(second, JobFailure)
    assert "no picture of seed 1" in second.reason


async def test_a_job_for_a_model_that_is_not_here_is_told_so(bench: Bench) -> None:
    ids = await bench.submit([bench.job(1, model="0123456789abcdef"), bench.job(1)])
    with bench.working():
        missing, there = await bench.outcomes(ids)
    assert isinstance(missing, JobFailure)
    assert missing.code == "model-not-loaded"
    assert "0123456789abcdef" in missing.reason
    assert isinstance(there, JobResult)


class OverlapTask(GenerateTask):
    """The first batch's pictures are encoded only once the second batch runs: without overlap it never ends."""

    def __init__(self) -> None:
        self.batches = 0
        self.second_runs = threading.Event()

    def run(self, inputs: Mapping[str, Array], model: LoadedModel) -> Array:
        self.batches += 1
        if self.batches == 2:
            self.second_runs.set()
        return super().run(inputs, model)

    def finish(self, job: GenerateJob, picture: Array) -> EncodedPicture:
        assert self.second_runs.wait(10), "nothing ran while this was encoded"
        return super().finish(job, picture)


async def test_pictures_are_encoded_while_the_next_batch_runs(bench: Bench) -> None:
    ids = await bench.submit([bench.job(seed) for seed in range(16)])
    with bench.working(OverlapTask()):
        outcomes = await bench.outcomes(ids)
    assert all(isinstance(outcome, JobResult) for outcome in outcomes)


class HeldTask(WatchedTask):
    """Batches that hold the seed 0 run only when the test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def on_run(self, seeds: list[int]) -> None:
        if 0 in seeds:
            self.begun.set()
            assert self.go_on.wait(10)


async def test_a_face_does_not_wait_for_the_slow_lane(bench: Bench) -> None:
    task = HeldTask()
    slow = await bench.submit([bench.job(0)], Lane.SLOW)
    with bench.working(task):
        assert await asyncio.to_thread(task.begun.wait, 10)
        await bench.pictures(await bench.submit([bench.job(1)]))
        task.go_on.set()
        await bench.pictures(slow)
    assert task.runs == [[0], [1]]


async def test_a_face_goes_before_those_made_ahead_that_were_taken_already(bench: Bench) -> None:
    task = HeldTask()
    ahead = await bench.submit([bench.job(seed) for seed in range(4)], Lane.IDLE)
    with bench.working(task):
        assert await asyncio.to_thread(task.begun.wait, 10)
        quick = await bench.submit([bench.job(85), bench.job(86)])
        task.go_on.set()
        await bench.pictures([*ahead, *quick])
    assert task.runs == [[0], [85, 86], [1], [2], [3]]


async def test_only_the_lanes_asked_for_are_taken(bench: Bench) -> None:
    quick, slow = [*await bench.submit([bench.job(1)]), *await bench.submit([bench.job(2)], Lane.SLOW)]
    with bench.working(config=replace(CONFIG, lanes=(Lane.SLOW,))):
        await bench.pictures([slow])
        assert await bench.submitter.wait(quick, timeout_ms=300) is None


async def test_a_lingering_worker_fills_its_batch(bench: Bench) -> None:
    task = WatchedTask()
    with bench.working(task, replace(CONFIG, linger_ms=2000)) as worker:
        await until_ready(worker)
        first = await bench.submit([bench.job(1)])
        await asyncio.sleep(0.05)
        await bench.pictures([*first, *await bench.submit([bench.job(seed) for seed in range(2, 9)])])
    assert task.runs == [list(range(1, 9))]


async def test_stop_finishes_what_runs_and_gives_back_the_rest(bench: Bench) -> None:
    task = HeldTask()
    # Faces made ahead run singly on the CPU, so that seven of these eight are in hand and have not begun.
    ids = await bench.submit([bench.job(seed) for seed in range(12)], Lane.IDLE)
    with bench.working(task) as worker:
        assert await asyncio.to_thread(task.begun.wait, 10)
        stopping = asyncio.create_task(asyncio.to_thread(worker.stop))
        while worker.ready:
            await asyncio.sleep(0.01)
        task.go_on.set()
        await stopping
        worker.stop()
        state = await bench.submitter.state()
        assert task.runs == [[0]]
        assert (state.waiting[Lane.IDLE], state.running[Lane.IDLE], state.retries) == (11, 0, 0)
        await bench.pictures(ids[:1])
    with bench.working():
        await bench.pictures(ids)


async def test_a_worker_that_hangs_is_gone_when_its_grace_is_over(bench: Bench) -> None:
    task = HeldTask()
    await bench.submit([bench.job(0)])
    with bench.working(task, replace(CONFIG, stop_grace_s=0.3)) as worker:
        assert await asyncio.to_thread(task.begun.wait, 10)
        began = time.monotonic()
        await asyncio.to_thread(worker.stop)
        assert time.monotonic() - began < 2
    task.go_on.set()


def test_a_signal_in_the_thread_that_runs_it_stops_the_worker(bench: Bench) -> None:
    worker = bench.worker()
    before = signal.signal(signal.SIGALRM, lambda *_: worker.stop())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        worker.run()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not worker.ready


async def until_ready(worker: Worker) -> None:
    while not worker.ready:
        await asyncio.sleep(0.01)


class GatedModels(LoadedModels):
    """Models that a test lets warm up."""

    def __init__(self, catalogue: Catalogue, config: WorkerConfig) -> None:
        super().__init__(catalogue, config)
        self.gate = threading.Event()

    def open(self) -> None:
        assert self.gate.wait(10)
        super().open()


async def test_heartbeats_say_what_is_served_and_only_a_warm_worker_is_ready(
    bench: Bench, tiny_catalogue: Catalogue
) -> None:
    config = replace(CONFIG, beat_every_s=0.05)
    models = GatedModels(tiny_catalogue, config)
    worker = Worker(config, bench.source, models)
    thread = threading.Thread(target=worker.run)
    thread.start()
    while not (workers := (await bench.submitter.state()).workers):
        await asyncio.sleep(0.01)
    assert (workers[0].ready, workers[0].models) == (False, ())
    models.gate.set()
    await until_ready(worker)
    await asyncio.sleep(0.2)
    (beat,) = (await bench.submitter.state()).workers
    assert (beat.worker_id, beat.ready, beat.models, beat.device) == ("test", True, (bench.model,), "cpu")
    assert beat.lanes == tuple(Lane)
    await asyncio.to_thread(worker.stop)
    thread.join(5)
    assert not worker.ready
    bench.source.close()
    assert (await bench.submitter.state()).workers == ()


class ForgetfulSource(MemorySource):
    """Out of reach whenever seed 0 is to be finished for the first time."""

    failed = False

    def finish(self, delivery: Delivery, outcome: JobOutcome) -> bool:
        if delivery.job.seed == 0 and not self.failed:
            self.failed = True
            raise QueueUnavailable
        return super().finish(delivery, outcome)


async def test_a_queue_out_of_reach_does_not_end_the_worker(tiny_catalogue: Catalogue) -> None:
    queue = MemoryQueue()
    bench = Bench(tiny_catalogue, ForgetfulSource(queue), queue)
    await bench.submit([bench.job(0)])
    with bench.working() as worker:
        await bench.pictures(await bench.submit([bench.job(1)]))
        assert worker.metrics.figures().done == 1


async def test_what_is_a_bug_ends_the_worker_and_is_raised(bench: Bench, tiny_catalogue: Catalogue) -> None:
    await bench.submit([bench.job(1)])
    worker = Worker(CONFIG, bench.source, LoadedModels(tiny_catalogue, CONFIG), tasks={})
    with pytest.raises(KeyError, match="generate"):
        await asyncio.to_thread(worker.run)


def test_a_worker_without_models_ends_with_the_reason(bench: Bench) -> None:
    worker = Worker(CONFIG, bench.source, LoadedModels(Catalogue({}), CONFIG))
    with pytest.raises(NothingToServe, match="no model to serve"):
        worker.run()


async def test_the_figures_add_up(bench: Bench) -> None:
    ids = await bench.submit([bench.job(seed) for seed in range(11)])
    with bench.working() as worker:
        await bench.pictures(ids)
    figures = worker.metrics.figures()
    assert (figures.done, figures.failed, figures.dropped, figures.retried) == (11, 0, 0, 0)
    assert figures.batches == {8: 1, 3: 1}
    assert figures.inference_ms > 0
    assert "11 done" in figures.summary
    assert "2 batches of 5.5 on average" in figures.summary


def test_serving_imports_no_torch() -> None:
    program = "import sys, worker.loop, models.engines.onnx_engine, onnxruntime; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
