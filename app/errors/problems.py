"""The one table that gives every error its HTTP status."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.access import ACCESS_PROBLEMS
from app.errors.editing import EDIT_PROBLEMS
from app.errors.finding import FINDING_PROBLEMS
from app.errors.grids import GRID_PROBLEMS
from app.errors.kinds import (
    AnimatedPhoto,
    ClientGone,
    JobCancelled,
    JobFailed,
    JobNotDone,
    JobNotFound,
    ModelNotLoaded,
    NoFormatAccepted,
    Overloaded,
    PhotoMissing,
    PhotoTooLong,
    RepeatedParameter,
    RequestTimedOut,
    SeedNotTaken,
    SeedOutOfRange,
    SizeOutOfRange,
    TooManyPixels,
    UnknownParameter,
    UnreadablePhoto,
    UnsupportedPhoto,
    UploadMalformed,
    UploadsBusy,
    UploadTooBig,
    UploadTooSlow,
)
from app.errors.making import MAKING_PROBLEMS
from app.errors.masks import MASK_PROBLEMS
from app.errors.morphs import MORPH_PROBLEMS
from app.errors.problem_type import ProblemType
from jobs.errors import JobUnknown, QueueFull, QueueUnavailable, WireError
from models.errors import ModelCannot, ModelNotFound, ModelRefused, NoSuchClass, WrongKindOfModel

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
            "Faces are made at the model's resolution and scaled down, never up; a translation is no larger than its "
            "photo. The member limit has both ends.",
        ),
        NoFormatAccepted: ProblemType(
            "no-format-accepted",
            406,
            "No acceptable picture format",
            "The Accept header rules out JPEG, WebP and PNG. Accept one of them, or name one with format=.",
        ),
        SeedNotTaken: ProblemType(
            "seed-not-taken",
            422,
            "No seed taken",
            "The style draws nothing at random, so that a seed would change nothing; leave it out.",
        ),
        PhotoMissing: ProblemType(
            "no-photo",
            422,
            "No photo",
            "The request has no photo. Send its bytes as the body, or a form with the part photo.",
        ),
        UploadTooBig: ProblemType(
            "upload-too-big",
            413,
            "Upload too big",
            "The body has more bytes than a photo, or a request as JSON, may have; the member limit says how many. "
            "Reading stopped there.",
        ),
        UploadTooSlow: ProblemType(
            "upload-too-slow",
            408,
            "Upload too slow",
            "The body did not arrive in time; the member limit has the seconds.",
        ),
        UploadMalformed: ProblemType(
            "upload-malformed",
            400,
            "Malformed form",
            "The body says that it is a form (multipart/form-data), and cannot be read as one.",
        ),
        UploadsBusy: ProblemType(
            "uploads-busy",
            503,
            "Too many uploads at once",
            "All photos that arrive at one moment share a limited room, so this one was refused before it was read.",
            2,
        ),
        UnsupportedPhoto: ProblemType(
            "unsupported-photo",
            415,
            "Not a JPEG, PNG or WebP",
            "A file is what its first bytes say, not its name or Content-Type; the member supported says what is read.",
        ),
        AnimatedPhoto: ProblemType(
            "animated-photo", 422, "Animation", "The file holds several frames; only still pictures are translated."
        ),
        TooManyPixels: ProblemType(
            "too-many-pixels",
            422,
            "Too many pixels",
            "The file's header claims more pixels than are taken; the member limit says how many. It was not decoded.",
        ),
        PhotoTooLong: ProblemType(
            "photo-too-long",
            422,
            "Photo too long",
            "The file's header claims a side that is longer than any that is taken; the member limit says how long.",
        ),
        UnreadablePhoto: ProblemType(
            "unreadable-photo",
            422,
            "Unreadable photo",
            "The file begins like a picture, and is damaged or cut off. Export it again from the program it came from.",
        ),
        JobNotFound: ProblemType(
            "job-not-found",
            404,
            "Job not found",
            "No job has that id: it never was, it was deleted, or its result has expired.",
        ),
        JobNotDone: ProblemType(
            "job-not-done",
            409,
            "Job not done",
            "The job waits or runs, so that it has no result yet. Its own address says how far it is.",
            1,
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
            "The picture could not be made",
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
            "The request waited for its whole limit, the member limit in seconds, and the job was cancelled; or nobody "
            "took a job before its own limit.",
            5,
        ),
        ClientGone: ProblemType(
            "client-gone",
            499,
            "The client left",
            "The connection closed before the picture was ready; nobody reads this answer; /metrics counts it.",
        ),
        Overloaded: ProblemType(
            "overloaded",
            503,
            "More is asked for than can be made",
            "So many requests are in hand that this one would have waited too long, so it was refused at once; limit "
            "is how many there may be at present.",
            1,
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
        **ACCESS_PROBLEMS,
        **MAKING_PROBLEMS,
        **FINDING_PROBLEMS,
        **MASK_PROBLEMS,
        **MORPH_PROBLEMS,
        **GRID_PROBLEMS,
        **EDIT_PROBLEMS,
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
