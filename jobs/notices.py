"""Ends of jobs that somebody outside wants to be told of: kept by the queue until they are, or until we give up."""

from dataclasses import dataclass
from typing import Protocol

from jobs.contract import JobFailure, JobId

KEPT_S = 24 * 3600.0
"""A notice that could not be delivered in so long is of no use any more."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A job that has ended, and the address that wants to know. failure: None where it was done. attempt: from 1."""

    job_id: JobId
    url: str
    failure: JobFailure | None
    attempt: int


class Notices(Protocol):
    """The end of the queue that hands them out. Several processes may take from one queue."""

    async def take(self, lease_s: float) -> Notice | None:
        """The one that is due longest; None when none is. Nobody else gets it for lease_s. Raises QueueUnavailable."""
        ...

    async def settle(self, notice: Notice) -> None:
        """It was delivered, or is given up. Raises QueueUnavailable."""
        ...

    async def put_off(self, notice: Notice, seconds: float) -> None:
        """It is due again in so many seconds. Raises QueueUnavailable."""
        ...

    async def close(self) -> None: ...
