"""A kind of job whose result is too large to be held whole."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from models.manifest import ModelManifest
from worker.loaded_model import LoadedModel
from worker.parts import PartsOut
from worker.tasks.solo import Step

JobT = TypeVar("JobT")
ModelT = TypeVar("ModelT", bound=LoadedModel)


class BulkTask(ABC, Generic[JobT, ModelT]):
    """One verb, for one job: write. JobRefused and ModelsError end it; whatever else raises is a failed attempt.

    works_with: what says of itself that it can do these jobs. media_type: of what it writes. most_bytes: a result that
    grows larger is given up.
    """

    works_with: type[ModelManifest]
    media_type: str
    most_bytes: int

    @abstractmethod
    def write(self, job: JobT, model: ModelT, batch: int, out: PartsOut, step: Step) -> None:
        """Make the result and send it piece by piece. batch: most pictures that the device makes at once."""
