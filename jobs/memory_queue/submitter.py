"""The app's end of the queue in memory."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Mapping

from jobs.contract import Delivery, Job, JobFailure, JobId, JobOutcome, JobStage, JobStatus, Lane, QueueState
from jobs.errors import JobUnknown, QueueFull
from jobs.memory_queue.entries import Entries
from jobs.outcomes import cancelled


class MemorySubmitter:
    """The app's end of a MemoryQueue."""

    def __init__(self, queue: Entries) -> None:
        self._queue = queue

    async def submit(
        self,
        job: Job,
        *,
        lane: Lane,
        timeout_ms: int,
        job_id: JobId | None = None,
        inputs: Mapping[str, bytes] | None = None,
    ) -> JobId:
        """See JobSubmitter.submit."""
        job_id = job_id or JobId(uuid.uuid4().hex)
        queue = self._queue
        now_ms = time.time_ns() // 1_000_000
        with queue.changed:
            queue.expire()
            if job_id in queue.entries:
                return job_id
            cap = queue.policy.lane_caps[lane]
            if len(queue.waiting[lane]) >= cap:
                raise QueueFull(lane, cap)
            delivery = Delivery(job_id, job, lane, 0, now_ms, now_ms + timeout_ms, uuid.uuid4().hex)
            queue.add(delivery, dict(inputs or {}))
        return job_id

    async def wait(self, job_id: JobId, *, timeout_ms: int) -> JobOutcome | None:
        """See JobSubmitter.wait."""
        queue = self._queue
        event = asyncio.Event()
        waiter = (asyncio.get_running_loop(), event)
        with queue.changed:
            queue.expire()
            entry = queue.entries.get(job_id)
            if entry is None:
                raise JobUnknown
            if entry.outcome is not None:
                return entry.outcome
            entry.waiters.append(waiter)
        try:
            await asyncio.wait_for(event.wait(), timeout_ms / 1000)
        except TimeoutError:
            return entry.outcome
        finally:
            with queue.changed:
                if waiter in entry.waiters:
                    entry.waiters.remove(waiter)
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

    async def erase(self, job_id: JobId) -> None:
        """See JobSubmitter.erase."""
        queue = self._queue
        with queue.changed:
            queue.expire()
            entry = queue.entries.get(job_id)
            if entry is None:
                raise JobUnknown
            if entry.outcome is not None:
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
