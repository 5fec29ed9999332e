"""What the web refuses, and the one table that gives every error its HTTP status.

AppError
├── UnknownParameter     a query parameter that the route does not have
├── RepeatedParameter    one query parameter given twice
├── SeedOutOfRange       no whole number from 0 to 2**64 - 1
├── SizeOutOfRange       a side outside of what the model can make
├── NoFormatAccepted     Accept excludes every format that there is
├── ModelNotLoaded       no live worker serves the model
├── Overloaded           more is asked for than can be made
├── JobFailed            the worker gave the job up
├── JobCancelled         somebody cancelled it
├── RequestTimedOut      nobody did the job in time
├── ClientGone           whoever asked has left (nobody reads this answer)
├── SeedNotTaken         a seed for a style that draws nothing
├── PhotoMissing         nothing was uploaded
├── UploadTooBig         more bytes than a photo may have
├── UploadTooSlow        they did not arrive in time
├── UploadMalformed      a form that is none
├── UploadsBusy          too many uploads at once
├── UnsupportedPhoto     neither JPEG, PNG nor WebP
├── AnimatedPhoto        more than one frame
├── TooManyPixels        more pixels than a photo may have
├── PhotoTooLong         more pixels along a side than a photo may have
├── UnreadablePhoto      damaged or cut off
├── JobNotFound          no job has that id
├── JobNotDone           its result was asked for too early
├── those of editing.py  what an edit starts from
├── those of finding.py  faces in photos
├── those of morphs.py   moving pictures
├── those of grids.py    several faces in one picture
├── those of masks.py    where photos are filled, and how large they become
├── those of making.py   keys, kinds and addresses of jobs that are to be made
└── those of access.py   keys, scopes, limits, hosts, shared addresses
"""

from app.errors.access import (
    CrossSite,
    KeyInAddress,
    KeyMissing,
    KeyRefused,
    KeysUnreadable,
    LinkRefused,
    NotShareable,
    RateLimited,
    ScopeMissing,
    ScopeUndeclared,
    SharingOff,
    TooCostly,
    WrongHost,
)
from app.errors.editing import DirectionRefused, NoDirection, NoLatent, SeedOrLatent
from app.errors.finding import FaceNotFound, FaceTooSmall, LandmarksMalformed, SeveralFaces
from app.errors.grids import GridTooLarge, GridUnclear
from app.errors.kinds import (
    MAX_SAFE_INTEGER,
    MAX_SEED,
    AnimatedPhoto,
    AppError,
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
from app.errors.making import (
    DatasetTooBig,
    DatasetTooLarge,
    IdempotencyKeyMalformed,
    WebhookRefused,
    WebhooksOff,
)
from app.errors.masks import MaskMissing, MaskNotWanted, MaskRefused, ResultTooLarge, TooLongForFormat
from app.errors.morphs import MorphTooLarge, MorphTooShort, SeedsUnclear, VideoMissing
from app.errors.problem_type import ProblemType
from app.errors.problems import (
    ALL_PROBLEMS,
    INTERNAL_ERROR,
    INVALID_PARAMETER,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    PROBLEMS,
)

__all__ = [
    "ALL_PROBLEMS",
    "INTERNAL_ERROR",
    "INVALID_PARAMETER",
    "MAX_SAFE_INTEGER",
    "MAX_SEED",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "PROBLEMS",
    "AnimatedPhoto",
    "AppError",
    "ClientGone",
    "CrossSite",
    "DatasetTooBig",
    "DatasetTooLarge",
    "DirectionRefused",
    "FaceNotFound",
    "FaceTooSmall",
    "GridTooLarge",
    "GridUnclear",
    "IdempotencyKeyMalformed",
    "JobCancelled",
    "JobFailed",
    "JobNotDone",
    "JobNotFound",
    "KeyInAddress",
    "KeyMissing",
    "KeyRefused",
    "KeysUnreadable",
    "LandmarksMalformed",
    "LinkRefused",
    "MaskMissing",
    "MaskNotWanted",
    "MaskRefused",
    "ModelNotLoaded",
    "MorphTooLarge",
    "MorphTooShort",
    "NoDirection",
    "NoFormatAccepted",
    "NoLatent",
    "NotShareable",
    "Overloaded",
    "PhotoMissing",
    "PhotoTooLong",
    "ProblemType",
    "RateLimited",
    "RepeatedParameter",
    "RequestTimedOut",
    "ResultTooLarge",
    "ScopeMissing",
    "ScopeUndeclared",
    "SeedNotTaken",
    "SeedOrLatent",
    "SeedOutOfRange",
    "SeedsUnclear",
    "SeveralFaces",
    "SharingOff",
    "SizeOutOfRange",
    "TooCostly",
    "TooLongForFormat",
    "TooManyPixels",
    "UnknownParameter",
    "UnreadablePhoto",
    "UnsupportedPhoto",
    "UploadMalformed",
    "UploadTooBig",
    "UploadTooSlow",
    "UploadsBusy",
    "VideoMissing",
    "WebhookRefused",
    "WebhooksOff",
    "WrongHost",
]
