"""Faces that somebody called more or less of something -> their w -> the direction that leads from less to more."""
# N faces, D width of w

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from jobs.contract import GenerateJob, PictureFormat, TeachJob
from models.direction_files import to_bytes
from models.directions import Direction
from models.engines.engine import Array, Float32
from models.errors import ModelRefused
from models.manifest import GeneratorManifest
from models.teaching import taught_direction
from worker.errors import JobRefused
from worker.loaded_model import LoadedGenerator
from worker.pictures import EncodedPicture
from worker.tasks.generate import mapping_inputs
from worker.tasks.solo import SoloTask, Step

KEPT_S = 3600.0
"""Long enough to try it, and to take it home as a file."""
SPREAD_SEEDS = 512
"""Faces by which it is known how far faces lie apart along a direction, always the same."""
BATCH = 64
MEDIA_TYPE = "application/json"


class TeachTask(SoloTask[TeachJob, list[GenerateJob], LoadedGenerator]):
    """Draws nothing: the mapping network alone is asked."""

    works_with = GeneratorManifest

    def prepare(
        self,
        job: TeachJob,
        inputs: Mapping[str, bytes],  # noqa: ARG002
        model: LoadedGenerator,  # noqa: ARG002
    ) -> list[GenerateJob]:
        """The faces that were looked at, untruncated: psi stretches every way alike. Raises JobRefused."""
        if len(job.scores) != len(job.seeds):
            raise JobRefused("Every seed takes one score.")
        return [_face(job.model, seed) for seed in job.seeds]

    def run(self, job: TeachJob, prepared: list[GenerateJob], model: LoadedGenerator, step: Step) -> Direction:
        """Raises JobRefused for faces that teach nothing."""
        others = [_face(job.model, seed) for seed in range(SPREAD_SEEDS)]
        step(0.0)
        w_ND, spread_MD = w_of(prepared, model), w_of(others, model)
        try:
            return taught_direction(job.name, job.meaning, w_ND, np.array(job.scores), spread_MD)
        except ModelRefused as error:
            raise JobRefused(str(error)) from error

    def finish(self, job: TeachJob, picture: Direction, inputs: Mapping[str, bytes]) -> EncodedPicture:  # noqa: ARG002
        """The document of a direction. file: as in a model's folder, base64."""
        document = {
            "model": job.model,
            "name": picture.name,
            "meaning": picture.meaning,
            "minimum": picture.low,
            "maximum": picture.high,
            "accuracy": picture.accuracy,
            "more": sum(score > 0 for score in job.scores),
            "less": sum(score < 0 for score in job.scores),
            "file": b64encode(to_bytes([picture])).decode(),
        }
        return EncodedPicture(json.dumps(document).encode(), MEDIA_TYPE, KEPT_S)


def w_of(faces: Sequence[GenerateJob], model: LoadedGenerator) -> Float32:
    """[N, D]: of faces, untruncated, each of the class that its seed draws where there are classes."""
    w_ND: Float32 = np.concatenate([ws_BLD[:, 0] for ws_BLD in _ws_of(faces, model)])
    return w_ND


def _ws_of(faces: Sequence[GenerateJob], model: LoadedGenerator) -> Iterator[Array]:
    for start in range(0, len(faces), BATCH):
        yield model.mapping.run(mapping_inputs(faces[start : start + BATCH], model.manifest))["ws"]


def _face(model: str, seed: int) -> GenerateJob:
    return GenerateJob(model, seed, 1.0, 0, PictureFormat.PNG)
