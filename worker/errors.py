"""What can go wrong in a worker.

WorkerError
├── NothingToServe   no model could be opened, so there is nothing to work with
├── ModelNotLoaded   a job asks for a model that this worker does not have
├── ModelUnusable    the model is there, and cannot be opened
├── JobRefused       nobody will ever be able to do this job: no attempt follows
│   ├── PhotoRefused     its photo cannot be read
│   ├── MaskRefused      what says where to fill its photo is missing, or of no use
│   ├── NoFace           no face is in its photo
│   ├── SeveralFaces     it does not say which of the faces in its photo is meant
│   ├── FaceTooSmall     the face in its photo has too few pixels
│   ├── DatasetTooLarge  its zip grows past the limit
│   └── VideoMissing     it asks for a film, and what would write one is not installed
└── NobodyWaits      the job was cancelled while it ran
"""

from collections.abc import Sequence
from typing import Any

Boxed = dict[str, Any]
"""A face that was found, as JSON has it: number, box (left, top, width, height), landmarks, score, crop (the square
that would be cut out)."""


class WorkerError(Exception):
    """Something went wrong in the worker."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class NothingToServe(WorkerError):
    """There is no model to serve."""

    def __init__(self, reasons: Sequence[str]) -> None:
        because = " ".join(reasons) or "The catalogue is empty: import or export one into the store."
        super().__init__(f"There is no model to serve. {because}")


class ModelNotLoaded(WorkerError):
    """This worker does not have that model."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"This worker has no model with digest {digest}; it may have been replaced since the request.")
        self.digest = digest


class ModelUnusable(WorkerError):
    """This model cannot be opened here. Said to whoever asked for a picture, so without paths."""

    def __init__(self, name: str, reason: str = "its log says why") -> None:
        super().__init__(f"The worker cannot open model {name!r}: {reason}.")


class JobRefused(WorkerError):
    """This job cannot be done, now or later. code, details: see JobFailure."""

    code = "job-failed"

    @property
    def details(self) -> dict[str, Any]:
        return {}


class PhotoRefused(JobRefused):
    """The photo cannot be read."""

    code = "photo-refused"


class MaskRefused(JobRefused):
    """The mask, which says where the photo is to be filled, cannot be used."""

    code = "mask-refused"


class DatasetTooLarge(JobRefused):
    """The data set grows past its limit."""

    code = "dataset-too-large"

    def __init__(self, most_bytes: int) -> None:
        super().__init__(
            f"The zip grew past the limit of {most_bytes} bytes; ask for fewer or smaller faces, or for JPEG or WebP."
        )


class NoFace(JobRefused):
    """No face was found in the photo."""

    code = "face-not-found"

    def __init__(self) -> None:
        super().__init__(
            "No face was found in the photo. Send one where a face is upright, uncovered and at least a fortieth of "
            "the photo's longer side, or say where its eyes, nose and mouth are with landmarks=."
        )


class SeveralFaces(JobRefused):
    """There are several faces in the photo."""

    code = "several-faces"

    def __init__(self, faces: list[Boxed], asked: int | None) -> None:
        wanted = "None was chosen" if asked is None else f"face={asked} is none of them"
        super().__init__(
            f"There are {len(faces)} faces in the photo. {wanted}: choose with face=, 0 to {len(faces) - 1}, the "
            "largest first; the member faces has their boxes."
            if len(faces) > 1
            else f"There is one face in the photo, which is face=0; face={asked} is none."
        )
        self._faces = faces

    @property
    def details(self) -> dict[str, Any]:
        return {"faces": self._faces}


class FaceTooSmall(JobRefused):
    """The face has too few pixels."""

    code = "face-too-small"

    def __init__(self, faces: list[Boxed], pixels: float, least: int) -> None:
        super().__init__(
            f"The face is {pixels:.0f} pixels large; from {least} on there is enough of it to find. Send a larger copy "
            "of the photo, or choose a larger face with face=."
        )
        self._faces, self._least = faces, least

    @property
    def details(self) -> dict[str, Any]:
        return {"faces": self._faces, "limit": self._least}


class VideoMissing(JobRefused):
    """This worker cannot write MP4: install `personne[video]` there, or ask for webp or gif."""

    code = "video-missing"


class NobodyWaits(WorkerError):
    """The job was cancelled while it ran."""
