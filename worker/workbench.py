"""One batch, from jobs in hand to finished jobs: drop what nobody wants, run, split on failure, encode, finish."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from jobs.contract import Delivery, GenerateJob, JobFailure, JobResult
from jobs.errors import JobsError
from jobs.queue import JobSource
from jobs.tracing import Record, about_job, dropped
from models.engines.errors import EngineRefused
from models.errors import ModelRefused, ModelsError
from worker.batching import Batch
from worker.errors import JobRefused, ModelNotLoaded, ModelUnusable, NobodyWaits
from worker.job_traces import JobTraces, context_of
from worker.loaded_model import LoadedModel
from worker.loaded_models import LoadedModels
from worker.metrics import WorkerMetrics
from worker.parts import PartsOut
from worker.pictures import EncodedPicture
from worker.tasks.bulk import BulkTask
from worker.tasks.generate import GenerateTask
from worker.tasks.solo import SoloTask
from worker.tasks.task import AnyTask, Task

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ran:
    """How a batch went."""

    started_at_ms: int
    inference_ms: float
    batch_size: int


class Workbench:
    """Does batches for every lane's thread. Pictures are encoded in `pool`, beside the next batch's inference."""

    def __init__(
        self,
        source: JobSource,
        models: LoadedModels,
        tasks: Mapping[str, AnyTask],
        metrics: WorkerMetrics,
        pool: ThreadPoolExecutor,
        *,
        record: Record = dropped,
    ) -> None:
        self._source = source
        self._models = models
        self._tasks = tasks
        self._metrics = metrics
        self._pool = pool
        self._traces = JobTraces(record)
        self._over = False

    def rehearse(self) -> None:
        """Whoever asks first is not to wait for what is done once: codecs, certificates, the watermark's tables."""
        task = self._tasks.get(GenerateJob.kind)
        if isinstance(task, GenerateTask):
            try:
                task.rehearse()
            except Exception as error:
                # Jobs will tell of it, and it may be mended without a restart.
                log.warning("nothing could be marked and encoded: %s", error)

    def close(self) -> None:
        """What is still in hand breaks off: no job is to blame for that, and each goes back as it came."""
        self._over = True

    def do(self, batch: Batch) -> list[Future[None]]:
        """Run the batch; each future is done when its job is finished."""
        deliveries = self._still_wanted(batch.deliveries)
        if not deliveries:
            return []
        task = self._tasks[batch.key.kind]
        try:
            with self._models.held(batch.key.model) as model:
                if isinstance(task, SoloTask):
                    return [future for one in deliveries for future in self._attempt_alone(task, model, one)]
                if isinstance(task, BulkTask):
                    for one in deliveries:
                        self._attempt_in_parts(task, model, one)
                    return []
                return self._attempt(task, model, deliveries)
        except (ModelNotLoaded, ModelUnusable) as error:
            for delivery in deliveries:
                self._fail(delivery, error)
        return []

    def _still_wanted(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        with _queue_may_be_away():
            cancelled = self._source.cancelled(deliveries)
            deliveries = self._without(deliveries, {d.id for d in deliveries if d.id in cancelled}, CANCELLED)
        now_ms = time.time_ns() // 1_000_000
        return self._without(deliveries, {d.id for d in deliveries if d.deadline_ms <= now_ms}, TOO_LATE)

    def _without(self, deliveries: Sequence[Delivery], unwanted: set[str], why: JobFailure) -> list[Delivery]:
        for delivery in deliveries:
            if delivery.id in unwanted:
                with _queue_may_be_away():
                    self._source.finish(delivery, why)
                self._metrics.count_dropped()
        return [delivery for delivery in deliveries if delivery.id not in unwanted]

    def _fail(self, delivery: Delivery, error: Exception) -> None:
        if self._over:
            with _queue_may_be_away():
                self._source.give_back([delivery])
            return
        failure = self._final(delivery, error)
        if failure is None:
            self._retry(delivery, error)
            return
        with _queue_may_be_away():
            self._source.finish(delivery, failure)
        self._traces.given_up(delivery, failure)
        self._metrics.count_failed()

    def _final(self, delivery: Delivery, error: Exception) -> JobFailure | None:
        """What is told at once of an error that no other attempt can mend; None for one that may pass."""
        match error:
            case JobRefused():
                return JobFailure(error.code, str(error), error.details)
            case ModelNotLoaded():
                return JobFailure("model-not-loaded", str(error))
            case ModelUnusable():
                return JobFailure("model-refused", str(error))
            case ModelRefused() | EngineRefused():
                # Their sentences name paths of this machine.
                with about_job(delivery.id, context_of(delivery)):
                    log.warning("job %s found its model unusable: %s", delivery.id, error)
                return JobFailure("model-refused", str(ModelUnusable(self._models.name_of(delivery.job.model))))
            case ModelsError():
                return JobFailure("job-failed", str(error))
        return None

    def _attempt_alone(
        self, task: SoloTask[Any, Any, Any], model: LoadedModel, delivery: Delivery
    ) -> list[Future[None]]:
        """Run one that takes its time: it says how far it is, and stops when nobody wants it any more."""
        started_at_ms, started = time.time_ns() // 1_000_000, time.perf_counter()
        with self._trying(delivery):
            inputs = self._source.inputs(delivery)
            prepared = task.prepare(delivery.job, inputs, model)
            picture = task.run(delivery.job, prepared, model, partial(self._step, delivery))
            ran = _Ran(started_at_ms, (time.perf_counter() - started) * 1000, 1)
            self._metrics.count_batch(1, ran.inference_ms)
            finish = partial(task.finish, delivery.job, picture, inputs)
            return [self._pool.submit(self._encode_and_finish, finish, delivery, ran)]
        return []

    def _attempt_in_parts(self, task: BulkTask[Any, Any], model: LoadedModel, delivery: Delivery) -> None:
        """Run one whose result leaves while it is made."""
        started_at_ms = time.time_ns() // 1_000_000
        out = PartsOut(self._source, delivery, task.most_bytes)
        batch = self._models.batch_limit(delivery.job.model, delivery.lane)
        with self._trying(delivery):
            task.write(delivery.job, model, batch, out, partial(self._step, delivery))
            timings_ms = {"queue_wait": float(max(0, started_at_ms - delivery.submitted_at_ms))}
            self._tell(delivery, JobResult(b"", task.media_type, timings_ms, batch, out.close()), encode_ms=0.0)

    def _step(self, delivery: Delivery, progress: float) -> None:
        """Raises NobodyWaits."""
        if self._source.cancelled([delivery]):
            raise NobodyWaits
        self._source.report(delivery, progress)

    @contextmanager
    def _trying(self, delivery: Delivery) -> Iterator[None]:
        """An attempt at a job that runs alone, and what becomes of the job when it fails."""
        try:
            with about_job(delivery.id, context_of(delivery)):
                yield
        except NobodyWaits:
            self._without([delivery], {delivery.id}, CANCELLED)
        except JobsError as error:
            # The job is as good as before; its photo could not be fetched, or its result not be kept.
            log.warning("job %s is given back: %s", delivery.id, error)
            with _queue_may_be_away():
                self._source.give_back([delivery])
        except Exception as error:
            self._fail(delivery, error)

    def _attempt(self, task: Task[Any, Any], model: LoadedModel, deliveries: Sequence[Delivery]) -> list[Future[None]]:
        """Run these together; when that raises, each half by itself, until the one that does it is alone."""
        started_at_ms, started = time.time_ns() // 1_000_000, time.perf_counter()
        try:
            pictures = task.run(task.prepare([delivery.job for delivery in deliveries], model), model)
        except Exception as error:
            if len(deliveries) == 1:
                self._fail(deliveries[0], error)
                return []
            half = len(deliveries) // 2
            log.info("a batch of %d failed (%s) and is split", len(deliveries), error)
            return self._attempt(task, model, deliveries[:half]) + self._attempt(task, model, deliveries[half:])
        ran = _Ran(started_at_ms, (time.perf_counter() - started) * 1000, len(deliveries))
        self._metrics.count_batch(ran.batch_size, ran.inference_ms)
        return [
            self._pool.submit(self._encode_and_finish, partial(task.finish, delivery.job, picture), delivery, ran)
            for delivery, picture in zip(deliveries, pictures, strict=True)
        ]

    def _encode_and_finish(self, finish: Callable[[], EncodedPicture], delivery: Delivery, ran: _Ran) -> None:
        started = time.perf_counter()
        try:
            with about_job(delivery.id, context_of(delivery)):
                encoded = finish()
        except Exception as error:
            self._fail(delivery, error)
            return
        encode_ms = (time.perf_counter() - started) * 1000
        timings_ms = {
            # Two machines' clocks may disagree by more than the wait.
            "queue_wait": float(max(0, ran.started_at_ms - delivery.submitted_at_ms)),
            "inference": ran.inference_ms,
            "encode": encode_ms,
        }
        self._tell(delivery, _result(encoded, timings_ms, ran), encode_ms)

    def _tell(self, delivery: Delivery, result: JobResult, encode_ms: float) -> None:
        with _queue_may_be_away():
            if self._source.finish(delivery, result):
                self._metrics.count_done(encode_ms)
                self._traces.done(delivery, result)
            else:
                self._metrics.count_dropped()

    def _retry(self, delivery: Delivery, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        with about_job(delivery.id, context_of(delivery)):
            log.warning("job %s failed at delivery %d: %s", delivery.id, delivery.delivery_count, reason)
        self._traces.failed(delivery, reason)
        self._metrics.count_retried()
        with _queue_may_be_away():
            # Whoever asked is told no sentence that we have not written: it may name paths of this machine.
            self._source.retry(delivery, type(error).__name__)


def _result(encoded: EncodedPicture, timings_ms: Mapping[str, float], ran: _Ran) -> JobResult:
    return JobResult(encoded.body, encoded.media_type, timings_ms, ran.batch_size, keep_s=encoded.keep_s)


CANCELLED = JobFailure("cancelled", "The job was cancelled before it ran.")
TOO_LATE = JobFailure("deadline-passed", "The job's time limit passed before its turn came.")


@contextmanager
def _queue_may_be_away() -> Iterator[None]:
    """What cannot be told to the queue now is lost with the lease, and somebody else does the job again."""
    try:
        yield
    except JobsError as error:
        log.warning("the queue could not be told: %s", error)
