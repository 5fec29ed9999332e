"""What can go wrong between the two ends of a queue.

JobsError
├── QueueFull          the lane is at its cap; try again later
├── QueueUnavailable   the queue cannot be reached right now
├── JobUnknown         no job of that id: never submitted, or expired
├── LeaseLost          somebody else has the job in hand by now
├── KeyReused          an idempotency key that came before, with another payload
└── WireError          bytes on the wire that are no job of a known version
"""


class JobsError(Exception):
    """Something went wrong between the two ends of the queue."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class QueueFull(JobsError):
    """The queue is full; try again in a few seconds."""

    def __init__(self, lane: str, limit: int) -> None:
        super().__init__(f"The {lane} lane holds its limit of {limit} waiting jobs; try again in a few seconds.")
        self.lane = lane
        self.limit = limit


class QueueUnavailable(JobsError):
    """The queue cannot be reached right now."""


class JobUnknown(JobsError):
    """No job of that id is known: it was never submitted, or its result has expired."""


class LeaseLost(JobsError):
    """Somebody else has this job in hand by now: the lease ended, or it was given back."""


class KeyReused(JobsError):
    """This idempotency key came before with another payload; a new request needs a new key."""


class WireError(JobsError):
    """These bytes are no job of a version that this release reads."""
