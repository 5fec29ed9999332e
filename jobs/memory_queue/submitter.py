"""The app's end of the queue in memory."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Mapping

from jobs.contract import (
    Delivery,
    Job,
    JobEvent,
    JobFailure,
    JobId,
    JobOutcome,
    JobStage,
    JobStatus,
    Lane,
    Parts,
    QueueState,
)
from jobs.errors import JobUnknown, KeyReused, QueueFull
from jobs.memory_queue.entries import Entries, Waiter
from jobs.memory_queue.notices import MemoryNotices
from jobs.outcomes import cancelled
from jobs.queue import Once
from jobs.tracing import current_traceparent


class MemorySubmitter:
    """The app's end of a MemoryQueue."""

    def __init__(self, queue: Entries) -> None:
        self._queue = queue
        self.notices = MemoryNotices(queue)

    async def submit(
        self,
        job: Job,
        *,
        lane: Lane,
        timeout_ms: int,
        job_id: JobId | None = None,
        inputs: Mapping[str, bytes] | None = None,
        events: bool = True,
        once: Once | None = None,
        webhook: str = "",
    ) -> JobId:
        """See JobSubmitter.submit."""
        job_id = job_id or JobId(uuid.uuid4().hex)
        queue = self._queue
        now_ms = time.time_ns() // 1_000_000
        with queue.changed:
            queue.expire()
            if once is not None and (before := self._known(once)):
                return before
            if job_id in queue.entries:
                return job_id
            cap = queue.policy.lane_caps[lane]
            if len(queue.waiting[lane]) >= cap:
                raise QueueFull(lane, cap)
            receipt, trace = uuid.uuid4().hex, current_traceparent()
            delivery = Delivery(job_id, job, lane, 0, now_ms, now_ms + timeout_ms, receipt, trace)
            queue.add(delivery, dict(inputs or {}), told=events, once=once, webhook=webhook)
        return job_id

    async def known(self, once: Once) -> JobId | None:
        """See JobSubmitter.known."""
        with self._queue.changed:
            self._queue.expire()
            return self._known(once)

    async def wait(self, job_id: JobId, *, timeout_ms: int) -> JobOutcome | None:
        """See JobSubmitter.wait."""
        queue = self._queue
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with queue.changed:
            queue.expire()
            entry = queue.entries.get(job_id)
            if entry is None:
                raise JobUnknown
            if entry.outcome is not None:
                return entry.outcome
            entry.waiters.append(waiter)
        await self._woken(waiter, entry.waiters, timeout_ms)
        return entry.outcome

    async def status(self, job_id: JobId) -> JobStatus:
        """See JobSubmitter.status."""
        queue = self._queue
        with queue.changed:
            queue.expire()
            entry = queue.entries.get(job_id)
            if entry is None:
                raise JobUnknown
            match entry.outcome:
                case JobFailure() as failure:
                    return JobStatus(JobStage.FAILED, failure=failure)
                case None if job_id in queue.held:
                    return JobStatus(JobStage.RUNNING, progress=entry.progress)
                case None:
                    return JobStatus(JobStage.WAITING, position=queue.waiting[entry.delivery.lane].index(job_id))
            return JobStatus(JobStage.DONE)

    async def events(self, job_id: JobId, *, after: str | None, wait_ms: int) -> list[JobEvent]:
        """See JobSubmitter.events."""
        queue = self._queue
        give_up_at = time.monotonic() + wait_ms / 1000
        last = 0 if after is None else int(after.partition("-")[0])
        while True:
            waiter = (asyncio.get_running_loop(), asyncio.Event())
            with queue.changed:
                queue.expire()
                entry = queue.entries.get(job_id)
                if entry is None:
                    raise JobUnknown
                found = [event for event in entry.events if int(event.id) > last]
                left_ms = round((give_up_at - time.monotonic()) * 1000)
                if found or left_ms <= 0:
                    return found
                entry.watchers.append(waiter)
            await self._woken(waiter, entry.watchers, left_ms)

    async def part(self, job_id: JobId, parts: Parts, index: int) -> bytes:
        """See JobSubmitter.part."""
        queue = self._queue
        with queue.changed:
            queue.expire()
            entry = queue.entries.get(job_id)
            if entry is None or (parts.token, index) not in entry.parts:
                raise JobUnknown
            queue.keep_on(entry)
            return entry.parts[parts.token, index]

    async def _woken(self, waiter: Waiter, among: list[Waiter], within_ms: int) -> None:
        """Return when the waiter is woken, or within_ms have passed."""
        try:
            async with asyncio.timeout(within_ms / 1000):
                await waiter[1].wait()
        except TimeoutError:
            return
        finally:
            with self._queue.changed:
                if waiter in among:
                    among.remove(waiter)

    async def erase(self, job_id: JobId) -> None:
        """See JobSubmitter.erase."""
        queue = self._queue
        with queue.changed:
            queue.expire()
            entry = queue.entries.get(job_id)
            if entry is None:
                raise JobUnknown
            if entry.outcome is not None:
                queue.forget_key(entry)
                queue.notices.pop(job_id, None)
                del queue.entries[job_id]
                return
        await self.cancel(job_id)

    async def cancel(self, job_id: JobId) -> None:
        """See JobSubmitter.cancel."""
        queue = self._queue
        with queue.changed:
            entry = queue.entries.get(job_id)
            if entry is None or entry.outcome is not None:
                return
            if job_id not in queue.held:
                queue.waiting[entry.delivery.lane].remove(job_id)
            queue.forget_key(entry)
            entry.events.clear()
            entry.parts.clear()
            queue.conclude(entry, cancelled())

    async def state(self) -> QueueState:
        """See JobSubmitter.state."""
        queue = self._queue
        with queue.changed:
            alive_since = time.monotonic() - queue.policy.beat_ttl_s
            running = Counter(queue.held.values())
            return QueueState(
                waiting={lane: len(ids) for lane, ids in queue.waiting.items()},
                running={lane: running[lane] for lane in Lane},
                retries=queue.totals["retries"],
                dead=queue.totals["dead"],
                workers=tuple(beat for at, beat in queue.beats.values() if at >= alive_since),
            )

    async def close(self) -> None:
        """Nothing to close: the queue lives as long as the process."""

    def _known(self, once: Once) -> JobId | None:
        """Under `changed`. Raises KeyReused."""
        before = self._queue.submitted(once)
        if before is None:
            return None
        if before[0] != once:
            raise KeyReused
        return before[1]
