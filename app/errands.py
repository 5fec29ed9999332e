"""One errand: a job is submitted, waited for, and cancelled when nobody waits any more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from app.access.cost import Till
from app.errors import (
    AppError,
    ClientGone,
    DatasetTooLarge,
    FaceNotFound,
    FaceTooSmall,
    JobCancelled,
    JobFailed,
    JobNotDone,
    JobNotFound,
    MaskRefused,
    ModelNotLoaded,
    RequestTimedOut,
    SeveralFaces,
    UnreadablePhoto,
    VideoMissing,
)
from app.idempotency import OneByOne
from app.metrics import Meters
from app.shedding import Shedding
from jobs.contract import Job, JobEvent, JobFailure, JobId, JobOutcome, JobResult, JobStatus, Lane, Parts, QueueState
from jobs.errors import JobsError, JobUnknown, QueueUnavailable
from jobs.queue import JobSubmitter, Once, moving_s
from models.errors import ModelRefused, ModelsError

QUEUE_PATIENCE_S = 0.8
"""A queue that has not answered after so long (a half-open connection) counts as unavailable."""
STATE_FRESH_S = 0.25
"""How long one look at the live workers serves all requests."""

T = TypeVar("T")
Gone = Callable[[], Coroutine[Any, Any, None]]
"""Returns when whoever asked has left."""


class Errands:
    """Runs jobs for requests. request_timeout_s: how long a request waits for its job. till: counts what it costs."""

    def __init__(self, submitter: JobSubmitter, meters: Meters, request_timeout_s: float, till: Till) -> None:
        self._submitter = submitter
        self._meters = meters
        self._timeout_s = request_timeout_s
        self._till = till
        self._one_by_one = OneByOne()
        self.shedding = Shedding(request_timeout_s)
        self._look: asyncio.Task[QueueState] | None = None
        self._looked_at = 0.0

    async def pay(self, job: Job) -> None:
        """For what need not be made. Raises RateLimited, TooCostly."""
        await self._till.pay_job(job, None)

    async def run(self, job: Job, lane: Lane, gone: Gone | None = None) -> JobResult:
        """The result of a job. gone: returns when whoever asked has left.

        Raises ModelNotLoaded, QueueFull, QueueUnavailable, what `pay` raises and (in the quick lane) Overloaded at
        once; JobFailed, JobCancelled, RequestTimedOut, JobUnknown and ClientGone later. However it ends without a
        result, the job does not stay in the queue.
        """
        if lane is not Lane.QUICK:
            return await self._run(job, lane, gone)
        with self.shedding.one_more():
            return await self._run(job, lane, gone)

    async def _run(self, job: Job, lane: Lane, gone: Gone | None) -> JobResult:
        job_id = await self.submit(job, lane, self._timeout_s, events=False)
        outcome: JobOutcome | None = None
        try:
            outcome = await self._outcome(job_id, self._timeout_s, gone)
        finally:
            if outcome is None:
                await self._cancel(job_id)
        if outcome is None:
            raise RequestTimedOut(self._timeout_s)
        return self._result(outcome, job.model)

    async def submit(
        self,
        job: Job,
        lane: Lane,
        timeout_s: float,
        inputs: Mapping[str, bytes] | None = None,
        *,
        events: bool = True,
        once: Once | None = None,
        webhook: str = "",
    ) -> JobId:
        """Put a job in its lane, to be done within timeout_s. events, once, webhook: see JobSubmitter.submit.

        What was submitted before under that key is not paid for again. Raises ModelNotLoaded, QueueFull,
        QueueUnavailable, KeyReused, and what `pay` raises.
        """
        if once is None:
            return await self._accept(job, lane, timeout_s, inputs, events=events, webhook=webhook)
        async with self._one_by_one.turn(once):
            if before := await _promptly(self._submitter.known(once)):
                return before
            return await self._accept(job, lane, timeout_s, inputs, events=events, once=once, webhook=webhook)

    async def _accept(
        self,
        job: Job,
        lane: Lane,
        timeout_s: float,
        inputs: Mapping[str, bytes] | None,
        *,
        events: bool,
        once: Once | None = None,
        webhook: str,
    ) -> JobId:
        if not await self.served(job.model, lane):
            raise ModelNotLoaded(job.model)
        cost = await self._till.pay_job(job, inputs)
        timeout_ms = round(timeout_s * 1000)
        accepting = self._submitter.submit(
            job, lane=lane, timeout_ms=timeout_ms, inputs=inputs, events=events, once=once, webhook=webhook
        )
        try:
            return await _promptly(accepting, sum(map(len, (inputs or {}).values())))
        except JobsError:
            await self._till.give_back(cost)
            raise

    async def wait(self, job_id: JobId, within_s: float, gone: Gone, *, stays: bool = False) -> JobResult | None:
        """The result of a job that goes on when within_s pass first (None).

        It is cancelled when whoever asked leaves, unless it stays: they will ask again. Raises what `run` raises later.
        """
        try:
            outcome = await self._outcome(job_id, within_s, gone)
        except (ClientGone, asyncio.CancelledError):
            if not stays:
                await self._cancel(job_id)
            raise
        return None if outcome is None else self._result(outcome)

    async def status(self, job_id: JobId) -> JobStatus:
        """How far a job is. Raises JobNotFound, QueueUnavailable."""
        try:
            return await _promptly(self._submitter.status(job_id))
        except JobUnknown:
            raise JobNotFound from None

    async def events(self, job_id: JobId, after: str | None, within_s: float) -> list[JobEvent]:
        """What happened to a job after that event, as soon as there is something. Raises JobNotFound, QueueUnavailable.

        Empty when within_s pass first.
        """
        try:
            return await self._submitter.events(job_id, after=after, wait_ms=round(within_s * 1000))
        except JobUnknown:
            raise JobNotFound from None

    async def result(self, job_id: JobId) -> JobResult:
        """The result of a job that is done. Raises JobNotFound, JobNotDone, QueueUnavailable, what `error_of` gives."""
        try:
            # In the submitter's own time, which depends on how many bytes there are.
            outcome = await self._submitter.wait(job_id, timeout_ms=0)
        except JobUnknown:
            raise JobNotFound from None
        match outcome:
            case None:
                raise JobNotDone
            case JobFailure():
                raise error_of(outcome)
        return outcome

    async def parts(self, job_id: JobId, parts: Parts) -> AsyncIterator[bytes]:
        """A large result, piece by piece. Raises JobNotFound when it goes meanwhile, QueueUnavailable."""
        for index in range(parts.count):
            try:
                yield await self._submitter.part(job_id, parts, index)
            except JobUnknown:
                raise JobNotFound from None

    async def erase(self, job_id: JobId) -> None:
        """Cancel a job, or forget its result. Raises JobNotFound, QueueUnavailable."""
        try:
            await _promptly(self._submitter.erase(job_id))
        except JobUnknown:
            raise JobNotFound from None

    async def served(self, model: str, lane: Lane = Lane.QUICK, *, warm: bool = False) -> bool:
        """Whether a ready worker that takes the lane can be asked for the model; warm: has it open already.

        Raises QueueUnavailable.
        """
        state = await self._recent_state()
        ready = [worker for worker in state.workers if worker.ready and lane in worker.lanes]
        return any(model in (worker.warm if warm else worker.models) for worker in ready)

    async def state(self) -> QueueState:
        """What the queue says now. Raises QueueUnavailable within QUEUE_PATIENCE_S."""
        return await _promptly(self._submitter.state())

    async def _recent_state(self) -> QueueState:
        """One look for all who ask meanwhile; a failed look is shared too: nobody queues behind a dead queue."""
        fresh = monotonic() - self._looked_at <= STATE_FRESH_S
        if self._look is None or (self._look.done() and not fresh):
            self._look = asyncio.create_task(self._look_now())
        return await asyncio.shield(self._look)

    async def _look_now(self) -> QueueState:
        try:
            return await self.state()
        finally:
            self._looked_at = monotonic()

    async def _outcome(self, job_id: JobId, within_s: float, gone: Gone | None) -> JobOutcome | None:
        waiting = asyncio.ensure_future(self._submitter.wait(job_id, timeout_ms=round(within_s * 1000)))
        leaving = None if gone is None else asyncio.create_task(gone())
        watched = [task for task in (waiting, leaving) if task is not None]
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise ClientGone
        finally:
            for task in watched:
                task.cancel()

    async def _cancel(self, job_id: JobId) -> None:
        # A queue out of reach forgets the job by its deadline: nothing more can be done from here.
        with suppress(JobsError):
            await _promptly(asyncio.shield(asyncio.ensure_future(self._submitter.cancel(job_id))))

    def _result(self, outcome: JobOutcome, model: str = "") -> JobResult:
        if isinstance(outcome, JobFailure):
            raise error_of(outcome, model, self._timeout_s)
        self._meters.job_done(outcome)
        return outcome


_BY_CODE: Mapping[str, type[AppError] | type[ModelsError]] = {
    "model-refused": ModelRefused,
    "photo-refused": UnreadablePhoto,
    "mask-refused": MaskRefused,
    "dataset-too-large": DatasetTooLarge,
    "face-not-found": FaceNotFound,
    "several-faces": SeveralFaces,
    "face-too-small": FaceTooSmall,
    "video-missing": VideoMissing,
}
FAILURES = (*_BY_CODE.values(), ModelNotLoaded, JobCancelled, RequestTimedOut, JobFailed)
"""All that `error_of` gives."""


def error_of(failure: JobFailure, model: str = "", limit_s: float | None = None) -> AppError | ModelsError:
    """What a failed job is to whoever asked for it. model: which one the job asked for, where that is known."""
    match failure.code:
        case "model-not-loaded":
            return ModelNotLoaded(model)
        case "cancelled":
            return JobCancelled()
        case "deadline-passed":
            return RequestTimedOut(limit_s)
    error = _BY_CODE.get(failure.code, JobFailed)(failure.reason)
    for name, value in failure.details.items():
        # Public attributes are the extra members of the problem document.
        setattr(error, name, value)
    return error


async def _promptly(answer: Awaitable[T], moving: int = 0) -> T:
    """moving: bytes that go along."""
    limit_s = QUEUE_PATIENCE_S + moving_s(moving)
    try:
        async with asyncio.timeout(limit_s):
            return await answer
    except TimeoutError:
        raise QueueUnavailable(f"The queue has not answered within {limit_s:.2g} s.") from None
