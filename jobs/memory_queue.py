"""The queue of a single process: web and worker threads share it, nothing leaves memory. Same promises as on Redis.

One lock guards all of it; it is held for dictionary work only. Whoever waits for an outcome is woken by the thread that
writes it, not by polling.
"""

import asyncio
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jobs.contract import Delivery, Job, JobId, JobOutcome, Lane, QueueState, WorkerBeat
from jobs.errors import JobUnknown, QueueFull
from jobs.outcomes import cancelled, deadline_passed, given_up
from jobs.queue import DEFAULT_POLICY, QueuePolicy

Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


@dataclass
class _Entry:
    """All that is known of one job."""

    delivery: Delivery
    inputs: Mapping[str, bytes]
    outcome: JobOutcome | None = None
    expires_at: float = float("inf")
    waiters: list[Waiter] = field(default_factory=list)


class MemoryQueue:
    """Both ends of one queue: `submitter` for the web's event loop, `source` for the worker's threads."""

    def __init__(self, policy: QueuePolicy = DEFAULT_POLICY) -> None:
        self.policy = policy
        self.changed = threading.Condition()
        self.entries: dict[JobId, _Entry] = {}
        self.waiting: dict[Lane, deque[JobId]] = {lane: deque() for lane in Lane}
        self.held: dict[JobId, Lane] = {}
        self.totals: Counter[str] = Counter()
        self.beats: dict[str, tuple[float, WorkerBeat]] = {}
        self.expiring: deque[JobId] = deque()
        self.submitter = MemorySubmitter(self)
        self.source = MemorySource(self)

    def conclude(self, entry: _Entry, outcome: JobOutcome) -> None:
        """Write the outcome, erase the inputs, wake whoever waits. Call it under the lock."""
        entry.outcome = outcome
        entry.inputs = {}
        entry.expires_at = time.monotonic() + self.policy.result_ttl_s
        self.expiring.append(entry.delivery.id)
        self.held.pop(entry.delivery.id, None)
        for loop, event in entry.waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        entry.waiters.clear()

    def expire(self) -> None:
        """Forget results past their time. Call it under the lock."""
        now = time.monotonic()
        while self.expiring and self.entries[self.expiring[0]].expires_at <= now:
            del self.entries[self.expiring.popleft()]

    def put_back(self, entry: _Entry, deliveries_so_far: int) -> None:
        """Into the lane again, in front. Call it under the lock."""
        delivery = entry.delivery
        self.held.pop(delivery.id, None)
        entry.delivery = replace(delivery, delivery_count=deliveries_so_far, receipt=uuid.uuid4().hex)
        self.waiting[delivery.lane].appendleft(delivery.id)
        self.changed.notify_all()


class MemorySubmitter:
    """The app's end of a MemoryQueue."""

    def __init__(self, queue: MemoryQueue) -> None:
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
            queue.entries[job_id] = _Entry(delivery, dict(inputs or {}))
            queue.waiting[lane].append(job_id)
            queue.changed.notify_all()
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


class MemorySource:
    """The worker's end of a MemoryQueue."""

    def __init__(self, queue: MemoryQueue) -> None:
        self._queue = queue
        self._workers: set[str] = set()

    def take(self, lanes: Sequence[Lane], *, max_jobs: int, wait_ms: int) -> list[Delivery]:
        """See JobSource.take. There is no lease: a worker that dies takes this queue with it."""
        give_up_at = time.monotonic() + wait_ms / 1000
        with self._queue.changed:
            while True:
                for lane in lanes:
                    if taken := self._take_from(lane, max_jobs):
                        return taken
                left_s = give_up_at - time.monotonic()
                if left_s <= 0:
                    return []
                self._queue.changed.wait(left_s)

    def inputs(self, delivery: Delivery) -> Mapping[str, bytes]:
        """See JobSource.inputs."""
        with self._queue.changed:
            entry = self._queue.entries.get(delivery.id)
            return {} if entry is None else entry.inputs

    def cancelled(self, deliveries: Sequence[Delivery]) -> Collection[JobId]:
        """See JobSource.cancelled."""
        with self._queue.changed:
            return {delivery.id for delivery in deliveries if self._owned(delivery) is None}

    def finish(self, delivery: Delivery, outcome: JobOutcome) -> bool:
        """See JobSource.finish."""
        with self._queue.changed:
            entry = self._queue.entries.get(delivery.id)
            if entry is None or entry.outcome is not None:
                return False
            if delivery.id not in self._queue.held:
                # Given back meanwhile, and done all the same: nobody need do it again.
                self._queue.waiting[delivery.lane].remove(delivery.id)
            self._queue.conclude(entry, outcome)
            return True

    def retry(self, delivery: Delivery, reason: str) -> None:
        """See JobSource.retry."""
        queue = self._queue
        with queue.changed:
            entry = self._owned(delivery)
            if entry is None:
                return
            if delivery.delivery_count >= queue.policy.max_deliveries:
                queue.totals["dead"] += 1
                queue.conclude(entry, given_up(delivery.delivery_count, reason))
            else:
                queue.totals["retries"] += 1
                queue.put_back(entry, delivery.delivery_count)

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """See JobSource.give_back."""
        with self._queue.changed:
            for delivery in reversed(deliveries):
                if entry := self._owned(delivery):
                    self._queue.put_back(entry, delivery.delivery_count - 1)

    def beat(self, beat: WorkerBeat) -> None:
        """See JobSource.beat."""
        with self._queue.changed:
            self._workers.add(beat.worker_id)
            self._queue.beats[beat.worker_id] = (time.monotonic(), beat)

    def close(self) -> None:
        """See JobSource.close."""
        queue = self._queue
        with queue.changed:
            self.give_back([queue.entries[job_id].delivery for job_id in queue.held])
            for worker_id in self._workers:
                queue.beats.pop(worker_id, None)

    def _take_from(self, lane: Lane, max_jobs: int) -> list[Delivery]:
        queue = self._queue
        taken: list[Delivery] = []
        now_ms = time.time_ns() // 1_000_000
        while queue.waiting[lane] and len(taken) < max_jobs:
            entry = queue.entries[queue.waiting[lane].popleft()]
            if entry.delivery.deadline_ms < now_ms:
                queue.conclude(entry, deadline_passed())
                continue
            entry.delivery = replace(entry.delivery, delivery_count=entry.delivery.delivery_count + 1)
            queue.held[entry.delivery.id] = lane
            taken.append(entry.delivery)
        return taken

    def _owned(self, delivery: Delivery) -> _Entry | None:
        """The job, if this delivery of it is still in hand: not finished, cancelled or given back meanwhile."""
        entry = self._queue.entries.get(delivery.id)
        if entry is None or entry.outcome is not None or delivery.id not in self._queue.held:
            return None
        return entry if entry.delivery.receipt == delivery.receipt else None
