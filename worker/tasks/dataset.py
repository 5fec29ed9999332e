"""Faces of consecutive seeds as one zip: pictures, labels.csv, and about.json, which says what made them."""

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import IO, cast

from jobs.contract import DatasetJob, GenerateJob
from models.manifest import GeneratorManifest
from models.ranges import Ranges, drawn_edits
from worker.loaded_model import LoadedGenerator
from worker.parts import PartsOut
from worker.pictures import EncodedPicture
from worker.stored_zip import add, end_of, entries
from worker.tasks.bulk import BulkTask
from worker.tasks.generate import GenerateTask, class_of
from worker.tasks.solo import Step

SEEDS = 2**64


class DatasetTask(BulkTask[DatasetJob, LoadedGenerator]):
    """Draws with the very task that draws single faces, so that a face is the same here and at its own address."""

    works_with = GeneratorManifest
    media_type = "application/zip"

    def __init__(self, faces: GenerateTask, most_bytes: int) -> None:
        self._faces = faces
        self.most_bytes = most_bytes

    def write(self, job: DatasetJob, model: LoadedGenerator, batch: int, out: PartsOut, step: Step) -> None:
        """Stored, not deflated: pictures are compressed already. Goes on behind what an earlier attempt has kept."""
        earlier = Earlier(job, about(job, model.manifest))
        out.go_on(earlier.continues)
        with zipfile.ZipFile(cast("IO[bytes]", out), "w", zipfile.ZIP_STORED) as archive:
            archive.filelist.extend(earlier.entries)
            if not earlier.entries:
                add(archive, "about.json", earlier.about)
            for index, picture in self._drawn(job, earlier.faces, model, batch, step):
                add(archive, face_name(job, index), picture.body)
                out.send()
            add(archive, "labels.csv", labels(job, model.manifest))

    def _drawn(
        self, job: DatasetJob, first: int, model: LoadedGenerator, batch: int, step: Step
    ) -> Iterator[tuple[int, EncodedPicture]]:
        for start in range(first, job.count, batch):
            step(start / job.count)
            indices = range(start, min(start + batch, job.count))
            faces = [face_of(job, index) for index in indices]
            pictures = self._faces.run(self._faces.prepare(faces, model), model)
            for index, face, picture in zip(indices, faces, pictures, strict=True):
                yield index, self._faces.finish(face, picture)


class Earlier:
    """What an earlier attempt has kept of the zip. about: what it must begin with, or it is of something else."""

    def __init__(self, job: DatasetJob, about: bytes) -> None:
        self.about = about
        self.entries: list[zipfile.ZipInfo] = []
        self._job = job

    @property
    def faces(self) -> int:
        return max(0, len(self.entries) - 1)

    def continues(self, part: bytes, at: int) -> bool:
        """Whether the part holds about.json and faces, all of them whole and in their order. Then it counts."""
        found = list(entries(part, at))
        if not found or end_of(found[-1]) != at + len(part):
            return False
        if not self.entries and zlib.crc32(self.about) != found[0].CRC:
            return False
        begin = len(self.entries)
        if any(entry.filename != self._name(begin + i) for i, entry in enumerate(found)):
            return False
        self.entries += found
        return True

    def _name(self, index: int) -> str:
        return face_name(self._job, index - 1) if index else "about.json"


def face_name(job: DatasetJob, index: int) -> str:
    """In the zip."""
    return f"faces/{index:06d}.{job.format.value}"


def face_of(job: DatasetJob, index: int) -> GenerateJob:
    """One face of the set. Its attributes are drawn by its seed: the same in every set with these ranges."""
    seed = (job.seed + index) % SEEDS
    shared = {name: value for name, value in asdict(job).items() if name not in ("seed", "count", "ranges")}
    return GenerateJob(seed=seed, edits=drawn_edits(job.ranges, seed), **shared)


def labels(job: DatasetJob, manifest: GeneratorManifest) -> bytes:
    """labels.csv."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(columns(job.ranges, manifest))
    for index in range(job.count):
        rows.writerow([face_name(job, index), *label_row(job.ranges, face_of(job, index), manifest)])
    return text.getvalue().encode()


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
