"""Faces of consecutive seeds as one zip: pictures, labels.csv, and about.json, which says what made them."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import IO, cast

from jobs.contract import DatasetJob, GenerateJob
from models.manifest import GeneratorManifest
from models.ranges import Ranges, drawn_edits
from worker.loaded_model import LoadedGenerator
from worker.parts import PartsOut
from worker.pictures import EncodedPicture
from worker.tasks.bulk import BulkTask
from worker.tasks.generate import GenerateTask, class_of
from worker.tasks.solo import Step

MIDNIGHT = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a zip can name: the same job gives the same names, sizes and times."""
SEEDS = 2**64


class DatasetTask(BulkTask[DatasetJob, LoadedGenerator]):
    """Draws with the very task that draws single faces, so that a face is the same here and at its own address."""

    works_with = GeneratorManifest
    media_type = "application/zip"

    def __init__(self, faces: GenerateTask, most_bytes: int) -> None:
        self._faces = faces
        self.most_bytes = most_bytes

    def write(self, job: DatasetJob, model: LoadedGenerator, batch: int, out: PartsOut, step: Step) -> None:
        """Stored, not deflated: pictures are compressed already."""
        labels = io.StringIO()
        rows = csv.writer(labels)
        rows.writerow(columns(job.ranges, model.manifest))
        with zipfile.ZipFile(cast("IO[bytes]", out), "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "about.json", about(job, model.manifest))
            for done, (face, picture) in enumerate(self._drawn(job, model, batch, step)):
                name = f"faces/{done:06d}.{job.format.value}"
                _add(archive, name, picture.body)
                rows.writerow([name, *label_row(job.ranges, face, model.manifest)])
                out.send()
            _add(archive, "labels.csv", labels.getvalue().encode())

    def _drawn(
        self, job: DatasetJob, model: LoadedGenerator, batch: int, step: Step
    ) -> Iterator[tuple[GenerateJob, EncodedPicture]]:
        for start in range(0, job.count, batch):
            step(start / job.count)
            jobs = [face_of(job, index) for index in range(start, min(start + batch, job.count))]
            pictures = self._faces.run(self._faces.prepare(jobs, model), model)
            for face, picture in zip(jobs, pictures, strict=True):
                yield face, self._faces.finish(face, picture)


def face_of(job: DatasetJob, index: int) -> GenerateJob:
    """One face of the set. Its attributes are drawn by its seed: the same in every set with these ranges."""
    seed = (job.seed + index) % SEEDS
    shared = {name: value for name, value in asdict(job).items() if name not in ("seed", "count", "ranges")}
    return GenerateJob(seed=seed, edits=drawn_edits(job.ranges, seed), **shared)


def columns(ranges: Ranges, manifest: GeneratorManifest) -> list[str]:
    """Of labels.csv."""
    classes = ["class"] if manifest.c_dim else []
    return ["file", "seed", "truncation_psi", *classes, *(name for name, _, _ in ranges)]


def label_row(ranges: Ranges, face: GenerateJob, manifest: GeneratorManifest) -> Sequence[object]:
    """What labels.csv says of a face, behind its file."""
    classes = [class_of(face, manifest.c_dim)] if manifest.c_dim else []
    strengths = dict(face.edits)
    return [face.seed, face.truncation_psi, *classes, *(strengths.get(name, 0.0) for name, _, _ in ranges)]


def about(job: DatasetJob, manifest: GeneratorManifest) -> bytes:
    """What made the set. Seeds may exceed what JavaScript's numbers hold."""
    asked = {**asdict(job), "seed": str(job.seed)}
    made_by = {"model": manifest.name, "digest": job.model, "licence": manifest.licence, "origin": manifest.origin}
    return json.dumps({**made_by, "asked": asked}, indent=2).encode()


def _add(archive: zipfile.ZipFile, name: str, body: bytes) -> None:
    entry = zipfile.ZipInfo(name, MIDNIGHT)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, body)
