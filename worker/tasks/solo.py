"""A kind of job that runs alone, with inputs of its own, and takes its time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from models.manifest import ModelManifest
from worker.loaded_model import LoadedModel
from worker.pictures import EncodedPicture

JobT = TypeVar("JobT")
ModelT = TypeVar("ModelT", bound=LoadedModel)
PreparedT = TypeVar("PreparedT")
Step = Callable[[float], None]
"""Called between two pieces of work with the share that is done, 0 to 1. Raises NobodyWaits when the rest is vain."""


class SoloTask(ABC, Generic[JobT, PreparedT, ModelT]):
    """The three verbs of a task, for one job. JobRefused and ModelsError end it; all else is a failed attempt.

    works_with: what says of itself that it can do these jobs.
    """

    works_with: type[ModelManifest]

    @abstractmethod
    def prepare(self, job: JobT, inputs: Mapping[str, bytes], model: ModelT) -> PreparedT:
        """The job's inputs, decoded."""

    @abstractmethod
    def run(self, job: JobT, prepared: PreparedT, model: ModelT, step: Step) -> Any:
        """On the device: the picture, or whatever else `finish` makes the result of."""

    @abstractmethod
    def finish(self, job: JobT, picture: Any, inputs: Mapping[str, bytes]) -> EncodedPicture:
        """The result as bytes. Runs beside the next job's `run`, in another thread."""
