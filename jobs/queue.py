"""The two ends of a queue: the app submits (async), a worker takes (threads). `memory_queue`, `redis_queue`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jobs.contract import Delivery, Job, JobEvent, JobId, JobOutcome, JobStatus, Lane, Parts, QueueState, WorkerBeat


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How a queue behaves; both ends of one queue are given the same policy.

    lane_caps: most jobs waiting in a lane before submits are refused with QueueFull.
    lease_s: a worker silent for so long has its jobs taken over. max_deliveries: then the job goes to the dead letters.
    result_ttl_s, input_ttl_s, dead_ttl_s: how long results (with events), inputs and dead letters are kept.
    beat_ttl_s: a worker whose last heartbeat is older counts as gone. once_ttl_s: how long an idempotency key is known.
    """

    lane_caps: Mapping[Lane, int]
    lease_s: float = 3.0
    max_deliveries: int = 3
    result_ttl_s: float = 300.0
    input_ttl_s: float = 3600.0
    dead_ttl_s: float = 7 * 24 * 3600.0
    beat_ttl_s: float = 5.0
    once_ttl_s: float = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Once:
    """What makes equal submits one job. key: whose, and which. fingerprint: of all that was asked. Both are hashes."""

    key: str
    fingerprint: str


# A job of the slow lane may bring an upload of 10 MiB: 32 of them hold no more than 320 MiB.
DEFAULT_POLICY = QueuePolicy(lane_caps={Lane.QUICK: 1024, Lane.SLOW: 32, Lane.IDLE: 256})
SLOWEST_BYTES_PER_S = 5_000_000


def moving_s(count: int) -> float:
    """Seconds that bytes of photos and results may take to or from a queue, beside what its answer takes."""
    return count / SLOWEST_BYTES_PER_S


class JobSubmitter(Protocol):
    """The app's end."""

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
        """Put a job in a lane; its deadline is now + timeout_ms. The same `job_id` twice makes one job.

        A job with events that was begun and comes back (its worker stops, dies or fails) has timeout_ms again; one
        without events has somebody on the line, who waits no longer.

        inputs: large bytes that it needs, by name: kept in memory only, for input_ttl_s at most, erased when the job
        ends, however it ends. events: whether what happens to it is kept for whoever asks. once: a job that was
        submitted under that key before is the one, and its id the answer, even where it has expired. webhook: where
        its end is to be told (see jobs.notices); "" for nowhere.

        Raises QueueFull at the lane's cap, KeyReused, and QueueUnavailable, at once, when the queue cannot be reached.
        """
        ...

    async def known(self, once: Once) -> JobId | None:
        """The job that was submitted under that key before. Raises KeyReused, QueueUnavailable."""
        ...

    async def wait(self, job_id: JobId, *, timeout_ms: int) -> JobOutcome | None:
        """The outcome as soon as there is one; None when timeout_ms pass first. Raises JobUnknown, QueueUnavailable."""
        ...

    async def status(self, job_id: JobId) -> JobStatus:
        """How far the job is. Raises JobUnknown, QueueUnavailable."""
        ...

    async def events(self, job_id: JobId, *, after: str | None, wait_ms: int) -> list[JobEvent]:
        """What happened to a job after the event of that id (None: from the start, or the oldest of EVENTS_KEPT).

        Waits for something to happen; empty when wait_ms pass first. Raises JobUnknown, QueueUnavailable.
        """
        ...

    async def part(self, job_id: JobId, parts: Parts, index: int) -> bytes:
        """One part of a large result; the others are kept for another result_ttl_s. Raises JobUnknown when it is gone,
        QueueUnavailable."""
        ...

    async def cancel(self, job_id: JobId) -> None:
        """Ask that a job not be done: one that waits never runs, one that runs has its result dropped.

        Its inputs are erased, its earlier events and its idempotency key too.
        """
        ...

    async def erase(self, job_id: JobId) -> None:
        """Cancel the job if it is not done yet, else forget it, its result, its events and its idempotency key.

        Raises JobUnknown, QueueUnavailable.
        """
        ...

    async def state(self) -> QueueState:
        """Depths, totals and live workers. Raises QueueUnavailable."""
        ...

    async def close(self) -> None: ...


class JobSource(Protocol):
    """The worker's end. Every method may be called from any thread."""

    def take(self, lanes: Sequence[Lane], *, max_jobs: int, wait_ms: int) -> list[Delivery]:
        """Up to max_jobs jobs of the first lane that has any, in the order of `lanes`; empty after wait_ms.

        Includes jobs whose worker died (taken over after the lease). Each is leased to us, and the lease is renewed
        from a thread of the source's own, until finish, retry or give_back. Never raises for a queue out of reach:
        it waits, reconnects and recreates what a flush has removed.
        """
        ...

    def inputs(self, delivery: Delivery) -> Mapping[str, bytes]:
        """The large bytes that came with the job; none once it has ended or their time is over. Raises
        QueueUnavailable."""
        ...

    def report(self, delivery: Delivery, progress: float) -> None:
        """Say how far a job in hand is, 0 to 1, for whoever asks its status. Lost when the queue is out of reach."""
        ...

    def put_part(self, delivery: Delivery, token: str, index: int, part: bytes) -> bool:
        """Keep one part of a large result until `finish` names them all; those of another token are gone then.

        False when nobody wants the job any more. Raises LeaseLost, when somebody else has it in hand, and
        QueueUnavailable.
        """
        ...

    def earlier_parts(self, delivery: Delivery) -> tuple[str, Iterator[bytes]]:
        """What another attempt at the job has kept before it broke off: its token, and its parts, fetched one by one.

        Whoever puts parts under that token goes on from there. ("", none) when there is nothing. Both raise
        QueueUnavailable.
        """
        ...

    def cancelled(self, deliveries: Sequence[Delivery]) -> Collection[JobId]:
        """Which of these nobody wants any more."""
        ...

    def finish(self, delivery: Delivery, outcome: JobOutcome) -> bool:
        """Write the outcome once, and end the lease.

        False when somebody else finished it first, or it was cancelled.
        """
        ...

    def retry(self, delivery: Delivery, reason: str) -> None:
        """An attempt failed: back into the lane, or, after the policy's max_deliveries, to the dead letters.

        Whoever waits then gets JobFailure `job-failed` with the reason.
        """
        ...

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Untouched: somebody else may have them at once, and the delivery does not count."""
        ...

    def beat(self, beat: WorkerBeat) -> None:
        """Say that this worker lives and what it serves. At least every beat_ttl_s / 3."""
        ...

    def close(self) -> None:
        """Give back what is held, say goodbye (the beat is removed), and close connections."""
        ...
