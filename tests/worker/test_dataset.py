"""A data set from a real worker: the zip, its labels, its faces, its limits, its end."""

import asyncio
import csv
import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jobs.contract import DatasetJob, JobFailure, JobId, JobResult, JobStage, Lane, PictureFormat
from tests.worker.bench import CONFIG, Bench
from worker.parts import PART_BYTES
from worker.tasks.dataset import DatasetTask, face_of
from worker.tasks.generate import GenerateTask

pytestmark = pytest.mark.anyio
LIMIT = 64 * 1024 * 1024


def dataset(bench: Bench, count: int = 20, **fields: object) -> DatasetJob:
    plain = DatasetJob(bench.model, 7, count, truncation_psi=0.7, size=32, format=PictureFormat.PNG)
    return replace(plain, **fields)  # type: ignore[arg-type]


async def submit(bench: Bench, job: DatasetJob) -> JobId:
    return await bench.submitter.submit(job, lane=Lane.SLOW, timeout_ms=60_000)


async def fetched(bench: Bench, job_id: JobId) -> zipfile.ZipFile:
    outcome = await bench.submitter.wait(job_id, timeout_ms=60_000)
    assert isinstance(outcome, JobResult), outcome
    assert outcome.parts is not None
    assert (outcome.body, outcome.media_type) == (b"", "application/zip")
    parts = [await bench.submitter.part(job_id, outcome.parts, index) for index in range(outcome.parts.count)]
    assert all(len(part) >= PART_BYTES for part in parts[:-1])
    assert sum(map(len, parts)) == outcome.parts.total_bytes
    return zipfile.ZipFile(io.BytesIO(b"".join(parts)))


@pytest.fixture
def task() -> dict[str, DatasetTask]:
    return {"dataset": DatasetTask(GenerateTask(), LIMIT)}


async def test_pictures_and_labels(bench: Bench, task: dict[str, DatasetTask]) -> None:
    with bench.working(tasks=task):
        archive = await fetched(bench, await submit(bench, dataset(bench)))
    assert archive.testzip() is None
    rows = list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode())))
    assert [int(row["seed"]) for row in rows] == list(range(7, 27))
    assert archive.namelist() == ["about.json", *(row["file"] for row in rows), "labels.csv"]
    for row in rows:
        assert Image.open(io.BytesIO(archive.read(row["file"]))).size == (32, 32)
    about = json.loads(archive.read("about.json"))
    assert (about["model"], about["digest"], about["asked"]["count"]) == ("tiny", bench.model, 20)


async def test_a_face_of_the_set_is_the_face_of_its_seed(bench: Bench, task: dict[str, DatasetTask]) -> None:
    with bench.working(tasks={**task, "generate": GenerateTask()}):
        archive = await fetched(bench, await submit(bench, dataset(bench, count=9)))
        (alone,) = await bench.pictures(await bench.submit([bench.job(12)]))
    of_the_set = np.asarray(Image.open(io.BytesIO(archive.read("faces/000005.png")))).astype(int)
    assert np.abs(of_the_set - np.asarray(alone)).max() <= 1


async def test_it_can_be_read_as_it_comes(bench: Bench, task: dict[str, DatasetTask]) -> None:
    with bench.working(tasks=task):
        archive = await fetched(bench, await submit(bench, dataset(bench, count=3)))
    for entry in archive.infolist():
        assert not entry.flag_bits & 0x08, "sizes and checksums stand before the pictures"
        assert entry.compress_type == zipfile.ZIP_STORED


async def test_progress_is_told_and_a_cancelled_one_stops(bench: Bench, task: dict[str, DatasetTask]) -> None:
    job_id = await submit(bench, dataset(bench, count=100_000))
    with bench.working(tasks=task):
        while (await bench.submitter.status(job_id)).stage is not JobStage.RUNNING:
            await asyncio.sleep(0.01)
        while not (await bench.submitter.status(job_id)).progress:
            await asyncio.sleep(0.01)
        await bench.submitter.erase(job_id)
        after = await submit(bench, dataset(bench, count=1))
        await fetched(bench, after)
    outcome = await bench.submitter.wait(job_id, timeout_ms=0)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "cancelled"


async def test_one_that_grows_too_large_is_given_up(bench: Bench) -> None:
    with bench.working(tasks={"dataset": DatasetTask(GenerateTask(), 20_000)}):
        outcome = await bench.submitter.wait(await submit(bench, dataset(bench)), timeout_ms=60_000)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "dataset-too-large"
    assert "20000 bytes" in outcome.reason


async def test_worker_of_the_configuration_makes_them(bench: Bench) -> None:
    with bench.working(tasks=None, config=replace(CONFIG, max_dataset_bytes=10)):
        outcome = await bench.submitter.wait(await submit(bench, dataset(bench)), timeout_ms=60_000)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "dataset-too-large"


def test_attributes_are_drawn_by_the_seed() -> None:
    ranges = (("age", -1.0, 2.0), ("smile", 0.5, 0.5))
    job = DatasetJob("0123456789abcdef", 2**64 - 2, 50, 0.7, 32, PictureFormat.PNG, ranges=ranges, keep=("gender",))
    faces = [face_of(job, index) for index in range(50)]
    assert [face.seed for face in faces[:4]] == [2**64 - 2, 2**64 - 1, 0, 1]
    ages = [dict(face.edits)["age"] for face in faces]
    assert -1 <= min(ages) < 0
    assert 1 < max(ages) <= 2
    assert {dict(face.edits)["smile"] for face in faces} == {0.5}
    assert faces[2] == face_of(replace(job, seed=0), 0), "whatever set it is in"
    assert faces[0].keep == ("gender",)
