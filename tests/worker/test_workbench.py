"""Jobs that lose their purpose while they are in a worker's hands."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.contract import GenerateJob, JobFailure, JobResult, Lane, PictureFormat
from jobs.memory_queue import MemoryQueue
from models.catalogue import Catalogue
from worker.batching import group
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModels
from worker.metrics import WorkerMetrics
from worker.tasks.task import tasks_for
from worker.workbench import Workbench

pytestmark = pytest.mark.anyio


async def test_what_nobody_wants_any_more_never_runs(tiny_catalogue: Catalogue, tiny_digest: str) -> None:
    queue, metrics = MemoryQueue(), WorkerMetrics()
    config = WorkerConfig(worker_id="test", device="cpu")
    models = LoadedModels(tiny_catalogue, config)
    models.open()
    cancelled, late, wanted = [
        await queue.submitter.submit(
            GenerateJob(tiny_digest, seed, 0.7, 32, PictureFormat.PNG), lane=Lane.QUICK, timeout_ms=timeout_ms
        )
        for seed, timeout_ms in enumerate((60_000, 500, 60_000))
    ]
    (batch,) = group(queue.source.take([Lane.QUICK], max_jobs=8, wait_ms=0), models.batch_limit)
    assert len(batch.deliveries) == 3
    await queue.submitter.cancel(cancelled)
    await asyncio.sleep(0.6)
    with ThreadPoolExecutor() as pool:
        encoding = Workbench(queue.source, models, tasks_for(config), metrics, pool).do(batch)
    assert len(encoding) == 1
    outcomes = [await queue.submitter.wait(job_id, timeout_ms=0) for job_id in (cancelled, late, wanted)]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, JobFailure)] == ["cancelled", "deadline-passed"]
    assert isinstance(outcomes[2], JobResult)
    assert outcomes[2].batch_size == 1
    figures = metrics.figures()
    assert (figures.done, figures.dropped, figures.batches) == (1, 2, {1: 1})
