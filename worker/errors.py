"""What can go wrong in a worker.

WorkerError
├── NothingToServe   no model could be opened, so there is nothing to work with
├── ModelNotLoaded   a job asks for a model that this worker does not have
├── ModelUnusable    the model is there, and cannot be opened
├── JobRefused       nobody will ever be able to do this job: no attempt follows
│   ├── PhotoRefused     its photo cannot be read
│   └── DatasetTooLarge  its zip grows past the limit
└── NobodyWaits      the job was cancelled while it ran
"""

from collections.abc import Sequence


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
    """This job cannot be done, now or later. code: see JobFailure."""

    code = "job-failed"


class PhotoRefused(JobRefused):
    """The photo cannot be read."""

    code = "photo-refused"


class DatasetTooLarge(JobRefused):
    """The data set grows past its limit."""

    code = "dataset-too-large"

    def __init__(self, most_bytes: int) -> None:
        super().__init__(
            f"The zip grew past the limit of {most_bytes} bytes; ask for fewer or smaller faces, or for JPEG or WebP."
        )


class NobodyWaits(WorkerError):
    """The job was cancelled while it ran."""
