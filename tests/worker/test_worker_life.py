"""How a worker begins, goes on through trouble, and ends."""

import asyncio
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from jobs.contract import Delivery, JobOutcome, Lane
from jobs.errors import QueueUnavailable
from jobs.memory_queue import MemoryQueue, MemorySource
from models.catalogue import Catalogue
from tests.house.tracked import ROOT
from tests.worker.bench import CONFIG, Bench, HeldTask, until_ready
from worker.config import WorkerConfig
from worker.errors import NothingToServe
from worker.loaded_models import LoadedModels
from worker.loop import Worker
from worker.tasks.generate import GenerateTask

pytestmark = pytest.mark.anyio


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
        assert time.monotonic() - began < 5
    task.go_on.set()


class BrokenOffTask(HeldTask):
    """As if the models were closed under it."""

    def on_run(self, seeds: list[int]) -> None:
        super().on_run(seeds)
        raise RuntimeError("closed")


async def test_what_breaks_off_when_the_grace_is_over_counts_for_no_attempt(bench: Bench) -> None:
    task = BrokenOffTask()
    await bench.submit([bench.job(0)])
    with bench.working(task, replace(CONFIG, stop_grace_s=0.3)) as worker:
        assert await asyncio.to_thread(task.begun.wait, 10)
        await asyncio.to_thread(worker.stop)
        assert await asyncio.to_thread(worker._over.wait, 5)
        task.go_on.set()
        while not (state := await bench.submitter.state()).waiting[Lane.QUICK]:
            await asyncio.sleep(0.01)
    assert state.retries == 0
    (delivery,) = bench.source.take([Lane.QUICK], max_jobs=1, wait_ms=0)
    assert delivery.delivery_count == 1


SIGNALLED = """
import os, signal, sys, threading
from pathlib import Path
from models.catalogue import find_models
from tests.worker.bench import Bench

store = Path(sys.argv[1])
worker = Bench(find_models(store, bundled=store / "nothing")).worker()
signal.signal(signal.SIGUSR1, lambda *_: worker.stop())
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1)).start()
worker.run()
print("ended", worker.ready)
"""


def test_a_signal_in_the_thread_that_runs_it_stops_the_worker(tiny_catalogue: Catalogue) -> None:
    # In a process of its own: one that runs many tests has handlers and libraries of many.
    store = tiny_catalogue.named("tiny").folder.parent
    command = [sys.executable, "-c", SIGNALLED, str(store)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "ended False\n"), done.stderr


class Unrehearsed(GenerateTask):
    """As if the certificates were broken, when it is rehearsed."""

    def __init__(self) -> None:
        super().__init__()
        self.rehearsed = 0

    def rehearse(self) -> None:
        self.rehearsed += 1
        raise OSError("no key")


async def test_a_ready_worker_has_rehearsed_and_one_that_could_not_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    task = Unrehearsed()
    with bench.working(task) as worker:
        await until_ready(worker)
        assert task.rehearsed == 1
        assert "nothing could be marked and encoded: no key" in caplog.text
        await bench.pictures(await bench.submit([bench.job(1)]))


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
    assert (beat.worker_id, beat.ready, beat.device) == ("test", True, "cpu")
    assert beat.models == beat.warm == (bench.model,)
    assert beat.lanes == tuple(Lane)
    await asyncio.to_thread(worker.stop)
    thread.join(5)
    assert not worker.ready
    bench.source.close()
    assert (await bench.submitter.state()).workers == ()


def make_forgetful(source: MemorySource) -> None:
    """Out of reach when seed 0 is to be finished for the first time."""
    finish, failed = source.finish, threading.Event()

    def finish_or_fail(delivery: Delivery, outcome: JobOutcome) -> bool:
        if delivery.job == replace(delivery.job, seed=0) and not failed.is_set():
            failed.set()
            raise QueueUnavailable
        return finish(delivery, outcome)

    source.finish = finish_or_fail  # type: ignore[method-assign]


async def test_a_queue_out_of_reach_does_not_end_the_worker(tiny_catalogue: Catalogue) -> None:
    queue = MemoryQueue()
    make_forgetful(queue.source)
    bench = Bench(tiny_catalogue, queue.source, queue)
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
