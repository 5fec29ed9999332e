"""The worker's end of the queue in memory."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from jobs.contract import Delivery, JobId, JobOutcome, JobStage, Lane, WorkerBeat
from jobs.errors import LeaseLost
from jobs.memory_queue.entries import Entries, Entry
from jobs.outcomes import deadline_passed, given_up


class MemorySource:
    """The worker's end of a MemoryQueue."""

    def __init__(self, queue: Entries) -> None:
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
            self._queue.expire()
            entry = self._queue.entries.get(delivery.id)
            return {} if entry is None else entry.inputs

    def report(self, delivery: Delivery, progress: float) -> None:
        """See JobSource.report."""
        with self._queue.changed:
            if entry := self._owned(delivery):
                entry.progress = progress
                entry.tell(JobStage.RUNNING, progress)

    def put_part(self, delivery: Delivery, token: str, index: int, part: bytes) -> bool:
        """See JobSource.put_part."""
        with self._queue.changed:
            entry = self._queue.entries.get(delivery.id)
            if entry is None or entry.outcome is not None:
                return False
            if self._owned(delivery) is None:
                raise LeaseLost
            entry.parts = {(of, i): kept for (of, i), kept in entry.parts.items() if of == token and i < index}
            entry.parts[token, index] = part
            return True

    def earlier_parts(self, delivery: Delivery) -> tuple[str, Iterator[bytes]]:
        """See JobSource.earlier_parts."""
        with self._queue.changed:
            entry = self._owned(delivery)
            parts = {} if entry is None else entry.parts
            return next((token for token, _ in parts), ""), iter([parts[place] for place in sorted(parts)])

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
            # Once a second: what is past its time is gone, also where nobody asks for anything.
            self._queue.expire()
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
            entry.progress = None
            entry.tell(JobStage.RUNNING)
            queue.held[entry.delivery.id] = lane
            taken.append(entry.delivery)
        return taken

    def _owned(self, delivery: Delivery) -> Entry | None:
        """The job, if this delivery of it is still in hand: not finished, cancelled or given back meanwhile."""
        entry = self._queue.entries.get(delivery.id)
        if entry is None or entry.outcome is not None or delivery.id not in self._queue.held:
            return None
        return entry if entry.delivery.receipt == delivery.receipt else None
