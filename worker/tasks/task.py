"""What a kind of job must do, and the table of those that there are."""

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from jobs.contract import (
    DatasetJob,
    EditJob,
    GenerateJob,
    GridJob,
    InvertJob,
    MorphJob,
    PhotoEditJob,
    TeachJob,
    TranslateJob,
)
from marks import Mark
from marks.credentials import Credentials
from marks.stamp import Stamp
from models.engines.engine import Array
from models.manifest import ModelManifest
from worker.config import WorkerConfig
from worker.inverters import EntryOf, Inverters, nothing_on_the_shelf
from worker.loaded_model import LoadedModel
from worker.pictures import EncodedPicture
from worker.tasks.bulk import BulkTask
from worker.tasks.dataset import DatasetTask
from worker.tasks.edit import EditTask
from worker.tasks.generate import GenerateTask
from worker.tasks.grid import GridTask
from worker.tasks.invert import InvertTask
from worker.tasks.morph import MorphTask
from worker.tasks.offsets import DirectionsOf, without_directions
from worker.tasks.photo_edit import PhotoEditTask
from worker.tasks.solo import SoloTask
from worker.tasks.teach import TeachTask
from worker.tasks.translate import TranslateTask

log = logging.getLogger(__name__)

JobT_contra = TypeVar("JobT_contra", contravariant=True)
ModelT_contra = TypeVar("ModelT_contra", bound=LoadedModel, contravariant=True)


class Task(Protocol[JobT_contra, ModelT_contra]):
    """One kind of job, in three verbs, several jobs at a time (a SoloTask: one).

    JobRefused and ModelsError end the jobs in hand; whatever else raises is a failed attempt of them.
    """

    @property
    def works_with(self) -> type[ModelManifest]:
        """The kind of model that does these jobs."""
        ...

    def prepare(self, jobs: Sequence[JobT_contra], model: ModelT_contra) -> Mapping[str, Array]:
        """Jobs of one batch as arrays, axis 0 being the batch."""
        ...

    def run(self, inputs: Mapping[str, Array], model: ModelT_contra) -> Array:
        """On the device: one output for each job, along axis 0."""
        ...

    def finish(self, job: JobT_contra, picture: Array) -> EncodedPicture:
        """One job's output as bytes. Runs beside the next batch's `run`, in another thread."""
        ...


AnyTask = Task[Any, Any] | SoloTask[Any, Any, Any] | BulkTask[Any, Any]


def tasks_for(
    config: WorkerConfig,
    name_of: Callable[[str], str] = str,
    directions_of: DirectionsOf = without_directions,
    entry_of: EntryOf = nothing_on_the_shelf,
) -> Mapping[str, AnyTask]:
    """By `kind` of the job. name_of, directions_of, entry_of: a model's name, directions and folder, by its digest.

    Raises MarksError, OSError.
    """
    stamp = stamp_for(config)
    faces, edit = GenerateTask(stamp, name_of, directions_of), EditTask(stamp, name_of, directions_of)
    inverters = Inverters(config, entry_of)
    return MappingProxyType(
        {
            GenerateJob.kind: faces,
            DatasetJob.kind: DatasetTask(faces, config.max_dataset_bytes),
            EditJob.kind: edit,
            InvertJob.kind: InvertTask(config.max_photo_pixels, inverters),
            PhotoEditJob.kind: PhotoEditTask(config.max_photo_pixels, inverters, edit, stamp, name_of),
            MorphJob.kind: MorphTask(faces, stamp, name_of),
            GridJob.kind: GridTask(faces, stamp, name_of),
            TeachJob.kind: TeachTask(),
            TranslateJob.kind: TranslateTask(config.tile_side, config.max_photo_pixels, stamp, name_of),
        }
    )


def stamp_for(config: WorkerConfig) -> Stamp:
    """The marks that pictures leave with. Raises MarksError, OSError."""
    credentials = None
    if Mark.C2PA in config.marks and config.certificate is not None and config.certificate_key is not None:
        credentials = Credentials(config.certificate.read_bytes(), config.certificate_key.read_bytes())
    elif Mark.C2PA in config.marks:
        log.info("pictures leave unsigned: `personne certs init` makes a certificate")
    return Stamp(config.marks, credentials)
