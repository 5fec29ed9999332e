"""What the web refuses, and the one table that gives every error its HTTP status.

AppError
├── UnknownParameter     a query parameter that the route does not have
├── RepeatedParameter    one query parameter given twice
├── SeedOutOfRange       no whole number from 0 to 2**64 - 1
├── SizeOutOfRange       a side outside of what the model can make
├── NoFormatAccepted     Accept excludes every format that there is
├── ModelNotLoaded       no live worker serves the model
├── JobFailed            the worker gave the job up
├── JobCancelled         somebody cancelled it
├── RequestTimedOut      nobody did the job in time
└── ClientGone           whoever asked has left (nobody reads this answer)

The public attributes of an error are the extra members of its problem document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jobs.errors import JobUnknown, QueueFull, QueueUnavailable, WireError
from models.errors import ModelCannot, ModelNotFound, ModelRefused, NoSuchClass, WrongKindOfModel

MAX_SEED = 2**64 - 1
MAX_SAFE_INTEGER = 2**53
"""Whole numbers above this are strings in JSON: JavaScript's numbers would round them."""


class AppError(Exception):
    """The web refuses a request."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class UnknownParameter(AppError):
    """This address has no such parameter."""

    def __init__(self, unknown: list[str], known: list[str]) -> None:
        listing = f"known are: {', '.join(known)}" if known else "it takes none"
        super().__init__(f"This address has no parameter {', '.join(map(repr, unknown))}; {listing}.")
        self.unknown = unknown
        self.known = known


class RepeatedParameter(AppError):
    """A parameter was given twice."""

    def __init__(self, repeated: list[str]) -> None:
        super().__init__(f"Give each parameter once; {', '.join(map(repr, repeated))} came several times.")
        self.repeated = repeated


class SeedOutOfRange(AppError):
    """A seed is a whole number from 0 to 18446744073709551615, without leading zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = {"minimum": 0, "maximum": str(MAX_SEED)}


class SizeOutOfRange(AppError):
    """The model cannot make a picture of that size."""

    def __init__(self, size: int, smallest: int, largest: int, model: str) -> None:
        super().__init__(
            f"size is a side in pixels from {smallest} to {largest} for model {model!r}; {size} was asked."
        )
        self.limit = {"minimum": smallest, "maximum": largest}


class NoFormatAccepted(AppError):
    """The Accept header excludes image/jpeg, image/webp and image/png; there is no other format."""


class ModelNotLoaded(AppError):
    """No live worker serves this model right now."""

    def __init__(self, model: str) -> None:
        super().__init__(f"No live worker serves model {model!r} right now; start one, or wait until it is warm.")
        self.model = model


class JobFailed(AppError):
    """The worker could not make this face."""


class JobCancelled(AppError):
    """This face was cancelled before it was made."""


class RequestTimedOut(AppError):
    """The face was not made in time."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"The face was not made within the limit of {limit_s:g} seconds; the job was cancelled.")
        self.limit = limit_s


class ClientGone(AppError):
    """Whoever asked has left; the job was cancelled."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem: its name in the `type` URI, its HTTP status, its title, and when to come back.

    meaning: for /problems/{slug}: what happened and what to do. retry_after_s: None where waiting is no help.
    """

    slug: str
    status: int
    title: str
    meaning: str
    retry_after_s: int | None = None

    @property
    def uri(self) -> str:
        return f"/problems/{self.slug}"


PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        UnknownParameter: ProblemType(
            "unknown-parameter",
            422,
            "Unknown parameter",
            "The query has a parameter that this address does not take; the member known lists those that it takes.",
        ),
        RepeatedParameter: ProblemType(
            "repeated-parameter",
            422,
            "Repeated parameter",
            "A query parameter came more than once; the member repeated says which.",
        ),
        SeedOutOfRange: ProblemType(
            "seed-out-of-range",
            422,
            "Seed out of range",
            "The seed in the address is no whole number from 0 to 2^64 - 1, or has leading zeros.",
        ),
        SizeOutOfRange: ProblemType(
            "size-out-of-range",
            422,
            "Size out of range",
            "Pictures are made at the model's resolution and scaled down, never up; the member limit has both ends.",
        ),
        NoFormatAccepted: ProblemType(
            "no-format-accepted",
            406,
            "No acceptable picture format",
            "The Accept header rules out JPEG, WebP and PNG. Accept one of them, or name one with format=.",
        ),
        ModelNotFound: ProblemType(
            "model-not-found",
            404,
            "Model not found",
            "No model of that name or digest is in the catalogue. An old permanent address works again as soon as its "
            "model is back in the store, under any name.",
        ),
        ModelRefused: ProblemType(
            "model-refused",
            500,
            "Model refused",
            "A model's folder is damaged or of another version, or the worker has no room for it. The operator finds "
            "the reason in the service's log.",
        ),
        WrongKindOfModel: ProblemType(
            "wrong-kind-of-model",
            422,
            "Wrong kind of model",
            "The model is there but does something else: a translator cannot generate faces, nor the other way round.",
        ),
        NoSuchClass: ProblemType(
            "no-such-class",
            422,
            "No such class",
            "The model has classes, but not this one; the member limit has the lowest and the highest number.",
        ),
        ModelCannot: ProblemType(
            "model-cannot",
            422,
            "The model cannot do that",
            "This model takes no such parameter, and others may: a class needs a model with labels, rotate and "
            "translate a StyleGAN3; the member able lists the models here that do.",
        ),
        ModelNotLoaded: ProblemType(
            "model-not-loaded",
            503,
            "Model not loaded",
            "The model is known, but no live worker serves it: the workers are starting, gone, or serve others.",
            5,
        ),
        JobFailed: ProblemType(
            "job-failed",
            500,
            "The face could not be made",
            "A worker tried and gave the job up; the detail says why. Another seed may work.",
        ),
        JobCancelled: ProblemType(
            "job-cancelled",
            503,
            "The job was cancelled",
            "The job was cancelled before it was done, by an operator or at a shutdown. Ask again.",
            1,
        ),
        RequestTimedOut: ProblemType(
            "timed-out",
            504,
            "Not made in time",
            "The request waited for its whole limit, the member limit in seconds, and the job was cancelled.",
            5,
        ),
        ClientGone: ProblemType(
            "client-gone",
            499,
            "The client left",
            "The connection closed before the face was ready; nobody reads this answer; /metrics counts it.",
        ),
        QueueFull: ProblemType(
            "queue-full",
            503,
            "The queue is full",
            "More jobs wait than the lane may hold, so this one was refused at once; limit is the lane's cap.",
            2,
        ),
        QueueUnavailable: ProblemType(
            "queue-unavailable",
            503,
            "The queue is unavailable",
            "The queue between web and workers cannot be reached. Faces made ahead are still served.",
            2,
        ),
        JobUnknown: ProblemType(
            "job-unknown",
            503,
            "The job was lost",
            "The queue no longer knows the job, as after a flush. Ask again.",
            1,
        ),
        WireError: ProblemType(
            "wire-error",
            500,
            "Unreadable message",
            "The queue holds a message of a version that this release does not read: web and workers differ.",
        ),
    }
)

INVALID_PARAMETER = ProblemType(
    "invalid-parameter",
    422,
    "Invalid parameter",
    "A parameter is of the wrong kind or outside of its bounds; the member errors names each with its limits.",
)
NOT_FOUND = ProblemType(
    "not-found", 404, "No such address", "There is nothing at this address; /docs lists what there is."
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "Method not allowed", "This address answers the methods in the Allow header only."
)
INTERNAL_ERROR = ProblemType(
    "internal-error", 500, "Internal error", "This is a bug in the service; its log has the details."
)

ALL_PROBLEMS: tuple[ProblemType, ...] = (
    *PROBLEMS.values(),
    INVALID_PARAMETER,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    INTERNAL_ERROR,
)
