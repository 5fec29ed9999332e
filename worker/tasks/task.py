"""What a kind of job must do, and the table of those that there are."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from jobs.contract import GenerateJob, Job
from models.engines.engine import Array
from worker.loaded_models import LoadedModel
from worker.pictures import EncodedPicture
from worker.tasks.generate import GenerateTask


class Task(Protocol):
    """One kind of job, in three verbs. Whatever raises counts as a failed attempt of the jobs in hand."""

    def prepare(self, jobs: Sequence[Job], model: LoadedModel) -> Mapping[str, Array]:
        """Jobs of one batch as arrays, axis 0 being the batch."""
        ...

    def run(self, inputs: Mapping[str, Array], model: LoadedModel) -> Array:
        """On the device: one output for each job, along axis 0."""
        ...

    def finish(self, job: Job, picture: Array) -> EncodedPicture:
        """One job's output as bytes. Runs beside the next batch's `run`, in another thread."""
        ...


TASKS: Mapping[str, Task] = MappingProxyType({GenerateJob.kind: GenerateTask()})
"""By `kind` of the job."""
