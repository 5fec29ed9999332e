"""The worker with the real memory queue, a real model and real pictures."""

import asyncio
import io
import threading
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jobs.contract import GenerateJob, JobFailure, JobResult, Lane, PictureFormat
from jobs.queue import DEFAULT_POLICY
from models.engines.engine import Array
from models.engines.errors import EngineRefused
from models.errors import DirectionsGone, ModelRefused
from tests.worker.bench import CONFIG, Bench, HeldTask, WatchedTask, until_ready
from worker.errors import DatasetTooLarge, ModelNotLoaded, ModelUnusable
from worker.loaded_model import LoadedGenerator
from worker.pictures import EncodedPicture
from worker.tasks.generate import GenerateTask

pytestmark = pytest.mark.anyio


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


async def test_a_poison_job_is_isolated_and_its_companions_are_done(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    ids = await bench.submit([bench.job(seed) for seed in range(8)])
    task = PoisonedTask()
    with bench.working(task) as worker:
        outcomes = await bench.outcomes(ids)
        figures = worker.metrics.figures()
    poisoned = outcomes.pop(5)
    assert all(isinstance(outcome, JobResult) for outcome in outcomes)
    assert isinstance(poisoned, JobFailure)
    assert poisoned.code == "job-failed"
    assert poisoned.reason.endswith("the last reason: RuntimeError")
    assert "seed 5 is poison" in caplog.text, "who runs the service is told more"
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
    assert second.reason.endswith("the last reason: OSError")


class DamagedTask(GenerateTask):
    """As if a file of the model were damaged, or its device gone, once it is asked for."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def run(self, inputs: Mapping[str, Array], model: LoadedGenerator) -> Array:  # noqa: ARG002
        raise self._error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ModelRefused("/store/tiny/encoder.onnx has the wrong hash"), "model-refused", "cannot open model 'tiny'"),
        (EngineRefused("/usr/lib/libcuda.so.1 is missing"), "model-refused", "cannot open model 'tiny'"),
        (ModelUnusable("tiny"), "model-refused", "cannot open model 'tiny'"),
        (ModelNotLoaded("0123456789abcdef"), "model-not-loaded", "no model with digest"),
        (DirectionsGone("0123", "tiny", ""), "job-failed", "directions 0123 of model 'tiny' are gone"),
        (DatasetTooLarge(5), "dataset-too-large", "limit of 5 bytes"),
    ],
)
async def test_what_no_other_attempt_can_mend_is_told_at_once_and_without_paths(
    bench: Bench, error: Exception, code: str, said: str
) -> None:
    ids = await bench.submit([bench.job(1), bench.job(2)])
    with bench.working(DamagedTask(error)) as worker:
        outcomes = await bench.outcomes(ids)
    assert worker.metrics.figures().retried == 0
    for outcome in outcomes:
        assert isinstance(outcome, JobFailure)
        assert outcome.code == code
        assert said in outcome.reason
        assert "/store" not in outcome.reason
        assert "/usr" not in outcome.reason


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
        super().__init__()
        self.batches = 0
        self.second_runs = threading.Event()

    def run(self, inputs: Mapping[str, Array], model: LoadedGenerator) -> Array:
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
