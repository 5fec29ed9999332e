"""Faces beside and below one another, as one picture."""
# C cells, R side of a cell

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import numpy as np

from jobs.contract import GenerateJob, GridJob
from marks.recipe import Plain, Recipe
from marks.stamp import UNMARKED, Stamp
from models.contact_sheet import contact_sheet
from models.manifest import GeneratorManifest
from models.ranges import range_text, steps_between
from worker.loaded_model import LoadedGenerator, largest_batch
from worker.pictures import EncodedPicture, Picture, resized, stamped
from worker.tasks.generate import GenerateTask, look_parameters
from worker.tasks.solo import SoloTask, Step


class GridTask(SoloTask[GridJob, Sequence[GenerateJob], LoadedGenerator]):
    """Cells -> pictures, batch by batch, by the very task that draws single faces -> one sheet, marked and encoded.

    faces: that task. stamp: the marks that pictures leave with. name_of: a model's name, by its digest.
    """

    works_with = GeneratorManifest

    def __init__(self, faces: GenerateTask, stamp: Stamp = UNMARKED, name_of: Callable[[str], str] = str) -> None:
        self._faces = faces
        self._stamp = stamp
        self._name_of = name_of

    def prepare(self, job: GridJob, inputs: Mapping[str, bytes], model: LoadedGenerator) -> Sequence[GenerateJob]:  # noqa: ARG002
        """The cells, row by row."""
        return cells_of(job)

    def run(self, job: GridJob, prepared: Sequence[GenerateJob], model: LoadedGenerator, step: Step) -> Picture:
        """[rows R, columns R, 3] uint8; places without a face, at the end, are white. Raises DirectionsGone,
        NoSuchAttribute."""
        batch = largest_batch(model.manifest, model.device)
        cells: list[Picture] = []
        for start in range(0, len(prepared), batch):
            step(start / len(prepared))
            drawn = self._faces.run(self._faces.prepare(prepared[start : start + batch], model), model)
            cells += [resized(picture, job.size) for picture in drawn]
        return np.asarray(contact_sheet(cells, job.columns))

    def finish(self, job: GridJob, picture: Picture, inputs: Mapping[str, bytes]) -> EncodedPicture:  # noqa: ARG002
        """The sheet as one file."""
        return stamped(picture, job.format, recipe_of(job, self._name_of(job.model)), self._stamp)


def cells_of(job: GridJob) -> list[GenerateJob]:
    """Each cell as the job of a face, row by row: what is drawn there is what that face's own address shows."""
    shared = {field.name for field in fields(GenerateJob)} & {field.name for field in fields(GridJob)} - {"edits"}
    look = {name: getattr(job, name) for name in shared}
    columns = [tuple(sorted((*job.edits, *moved))) for moved in _moves(job)]
    return [GenerateJob(seed=seed, edits=edits, **look) for seed in job.seeds for edits in columns]


def recipe_of(job: GridJob, name: str) -> Recipe:
    """What a grid was made of, in the words of its permanent address."""
    path: dict[str, Plain] = dict(job.named_seeds)
    look = look_parameters(job)
    if not job.sweep:
        return Recipe(job.kind, name, job.model, parameters={**path, "columns": job.columns, **look})
    swept: dict[str, Plain] = {name: range_text(low, high) for name, low, high in job.sweep}
    kept: dict[str, Plain] = {"keep": ",".join(job.keep)} if job.keep else {}
    moving = {"steps": job.columns, **swept, **kept, "directions": job.directions}
    return Recipe(job.kind, name, job.model, parameters={**path, **look, **moving})


def _moves(job: GridJob) -> list[tuple[tuple[str, float], ...]]:
    """What the sweep adds to each cell of a row; without a sweep, nothing to the one cell."""
    if not job.sweep:
        return [()]
    ((name, low, high),) = job.sweep
    # What is moved by nothing is the very face that nobody moved.
    return [((name, strength),) if strength else () for strength in steps_between(low, high, job.columns)]
