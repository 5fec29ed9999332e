"""What the web refuses. The public attributes of an error are the extra members of its problem document."""

MAX_SEED = 2**64 - 1
MAX_SAFE_INTEGER = 2**53
"""Whole numbers above this are strings in JSON: JavaScript's numbers would round them."""


class AppError(Exception):
    """The web refuses a request."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))


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
    """No live worker serves this model right now. model: empty where only its job is known."""

    def __init__(self, model: str = "") -> None:
        named = f"model {model!r}" if model else "the model of this job"
        super().__init__(f"No live worker serves {named} right now; start one, or wait until it is warm.")
        self.model = model


class Overloaded(AppError):
    """More is asked for than can be made."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"More is asked for than can be made: {limit} requests are in hand, and one more would wait too long. "
            "Ask again in a second."
        )
        self.limit = limit


class JobFailed(AppError):
    """The worker could not make this picture."""


class JobCancelled(AppError):
    """The job was cancelled before it was done."""


class RequestTimedOut(AppError):
    """Nobody took the job before its time limit passed, so it was given up; ask again."""

    def __init__(self, limit_s: float | None = None) -> None:
        if limit_s is None:
            super().__init__()
            return
        super().__init__(f"The picture was not made within the limit of {limit_s:g} seconds; the job was cancelled.")
        self.limit = limit_s


class ClientGone(AppError):
    """Whoever asked has left; the job was cancelled."""


class SeedNotTaken(AppError):
    """This style draws nothing at random, so that it takes no seed: the same photo gives the same picture."""


class PhotoMissing(AppError):
    """There is no photo in this request: send it as the body, or as the part `photo` of a form."""


class UploadTooBig(AppError):
    """The upload is too big."""

    def __init__(self, most_bytes: int, what: str = "A photo") -> None:
        super().__init__(f"{what} may have {most_bytes} bytes; this one has more.")
        self.limit = most_bytes


class UploadTooSlow(AppError):
    """The upload took too long."""

    def __init__(self, limit_s: float, what: str = "photo") -> None:
        super().__init__(f"The {what} did not arrive within {limit_s:g} seconds.")
        self.limit = limit_s


class UploadMalformed(AppError):
    """The form in this request cannot be read: a boundary or a header is damaged, or it was cut off."""


class UploadsBusy(AppError):
    """So many photos arrive at this moment that there is no room for another; try again in a few seconds."""


class UnsupportedPhoto(AppError):
    """This is no picture that can be read."""

    def __init__(self, found: str | None) -> None:
        super().__init__(f"{found or 'This file'} cannot be read; JPEG, PNG and WebP can.")
        self.supported = ["image/jpeg", "image/png", "image/webp"]


class AnimatedPhoto(AppError):
    """The photo is an animation; only still pictures are taken."""


class TooManyPixels(AppError):
    """The photo has too many pixels."""

    def __init__(self, width: int, height: int, most_pixels: int) -> None:
        super().__init__(f"A photo may have {most_pixels} pixels; this one has {width}x{height}.")
        self.limit = most_pixels


class PhotoTooLong(AppError):
    """A side of the photo is too long."""

    def __init__(self, width: int, height: int, longest: int) -> None:
        super().__init__(f"No side of a photo may be longer than {longest} pixels; this one has {width}x{height}.")
        self.limit = longest


class UnreadablePhoto(AppError):
    """The photo cannot be read: its file is damaged or cut off."""


class JobNotFound(AppError):
    """There is no such job: it never was, it was deleted, or its result has expired."""


class JobNotDone(AppError):
    """The job is not done yet: its address says how far it is."""
