"""Jobs whose end this process is told of."""

import asyncio
import time

from jobs.contract import JobId

SWEEP_EVERY_S = 2.0
"""Whatever nobody was told of goes so late at most."""


class Arrivals:
    """What this process submitted, each with what wakes whoever waits for it. None outlives what Redis knows of it."""

    def __init__(self) -> None:
        self._arrivals: dict[JobId, tuple[asyncio.Event, float]] = {}
        self._sweep_at = 0.0

    def __len__(self) -> int:
        return len(self._arrivals)

    def expect(self, job_id: JobId, within_s: float) -> bool:
        """False where it is expected already. within_s: after that Redis knows nothing of the job either."""
        if job_id in self._arrivals:
            return False
        self._arrivals[job_id] = asyncio.Event(), time.monotonic() + within_s
        return True

    def of(self, job_id: JobId) -> asyncio.Event | None:
        """What is set when the job ends; None for one that another process is told of."""
        event, _ = self._arrivals.get(job_id, (None, 0.0))
        return event

    def forget(self, job_id: JobId) -> None:
        self._arrivals.pop(job_id, None)

    def has_come(self, job_id: JobId) -> None:
        """Whoever waits has the event in hand; a job that nobody waits for leaves nothing behind."""
        if event := self.of(job_id):
            event.set()
        self.forget(job_id)

    def sweep(self) -> None:
        """Forget what no worker took in time: nobody ever tells of it. Cheap enough for every turn of a loop."""
        now = time.monotonic()
        if now < self._sweep_at:
            return
        self._sweep_at = now + SWEEP_EVERY_S
        self._arrivals = {job_id: one for job_id, one in self._arrivals.items() if one[1] > now}
