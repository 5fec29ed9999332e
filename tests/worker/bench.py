"""A worker on a bench: started and stopped around a test's jobs, its task watched or held."""

import asyncio
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from PIL import Image

from jobs.contract import GenerateJob, JobId, JobOutcome, JobResult, Lane, PictureFormat
from jobs.memory_queue import MemoryQueue
from jobs.queue import JobSource
from models.catalogue import Catalogue
from models.engines.engine import Array
from worker.config import WorkerConfig
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.loop import Worker
from worker.tasks.generate import GenerateTask
from worker.tasks.task import AnyTask

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

    def worker(
        self,
        task: AnyTask | None = None,
        config: WorkerConfig = CONFIG,
        tasks: Mapping[str, AnyTask] | None = MappingProxyType({}),
    ) -> Worker:
        """task: what generates. tasks: others beside it; None: the worker's own."""
        tasks = None if tasks is None else {"generate": task or GenerateTask(), **tasks}
        return Worker(config, self.source, LoadedModels(self.catalogue, config), tasks)

    @contextmanager
    def working(
        self,
        task: AnyTask | None = None,
        config: WorkerConfig = CONFIG,
        tasks: Mapping[str, AnyTask] | None = MappingProxyType({}),
    ) -> Iterator[Worker]:
        worker = self.worker(task, config, tasks)
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


class WatchedTask(GenerateTask):
    """Generates, and lets a test see and delay each verb by the seeds in hand."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[list[int]] = []
        self._seeds = threading.local()

    def prepare(self, jobs: Sequence[GenerateJob], model: LoadedGenerator) -> dict[str, Array]:
        self._seeds.now = [job.seed for job in jobs]
        self.runs.append(self._seeds.now)
        return super().prepare(jobs, model)

    def run(self, inputs: Mapping[str, Array], model: LoadedGenerator) -> Array:
        self.on_run(self._seeds.now)
        return super().run(inputs, model)

    def on_run(self, seeds: list[int]) -> None:
        pass


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


async def until_ready(worker: Worker) -> None:
    while not worker.ready:
        await asyncio.sleep(0.01)
