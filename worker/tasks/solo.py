"""A kind of job that runs alone, with inputs of its own, and takes its time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from models.engines.engine import Array
from models.manifest import ModelManifest
from worker.loaded_model import LoadedModel
from worker.pictures import EncodedPicture

JobT = TypeVar("JobT")
ModelT = TypeVar("ModelT", bound=LoadedModel)
PreparedT = TypeVar("PreparedT")
Step = Callable[[float], None]
"""Called between two pieces of work with the share that is done, 0 to 1. Raises NobodyWaits when the rest is vain."""


class SoloTask(ABC, Generic[JobT, PreparedT, ModelT]):
    """The three verbs of a task, for one job. JobRefused ends it at once; whatever else raises is a failed attempt.

    works_with: what says of itself that it can do these jobs.
    """

    works_with: type[ModelManifest]

    @abstractmethod
    def prepare(self, job: JobT, inputs: Mapping[str, bytes], model: ModelT) -> PreparedT:
        """The job's inputs, decoded."""

    @abstractmethod
    def run(self, job: JobT, prepared: PreparedT, model: ModelT, step: Step) -> Array:
        """On the device: the picture."""

    @abstractmethod
    def finish(self, job: JobT, picture: Array, inputs: Mapping[str, bytes]) -> EncodedPicture:
        """The picture as bytes. Runs beside the next job's `run`, in another thread."""
