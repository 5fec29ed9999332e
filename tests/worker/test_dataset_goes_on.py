"""A data set whose worker breaks off: another goes on behind the parts that are kept, and the zip is whole."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import worker.parts
from jobs.contract import DatasetJob, JobId, JobResult, Lane, PictureFormat
from jobs.queue import DEFAULT_POLICY
from jobs.redis_queue import RedisSource, RedisSubmitter
from models.catalogue import Catalogue, find_models
from tests.worker.bench import CONFIG, Bench
from worker.loaded_models import LoadedModels
from worker.loop import Worker
from worker.pictures import EncodedPicture
from worker.tasks.dataset import DatasetTask
from worker.tasks.generate import GenerateTask

pytestmark = pytest.mark.anyio
COUNT = 60
LIMIT = 64 * 1024 * 1024
POLICY = replace(DEFAULT_POLICY, lease_s=0.4)
SMALL_PART = 20_000
"""Some six faces."""


class CountedTask(GenerateTask):
    """Encodes, and knows which seeds it has encoded. dies_at: the seed at which an attempt ends, by `die`."""

    def __init__(self, dies_at: int | None = None) -> None:
        super().__init__()
        self.seeds: list[int] = []
        self.dies_at = dies_at

    def finish(self, job, picture) -> EncodedPicture:  # type: ignore[no-untyped-def]
        if job.seed == self.dies_at:
            self.dies_at = None
            self.die()
        self.seeds.append(job.seed)
        return super().finish(job, picture)

    def die(self) -> None:
        raise RuntimeError("the device fell over")


class KilledTask(CountedTask):
    """No word to anybody: what a process meets when the machine has no more memory for it."""

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def dataset(model: str, **fields: object) -> DatasetJob:
    plain = DatasetJob(model, 1, COUNT, 0.7, 32, PictureFormat.PNG, ranges=())
    return replace(plain, **fields)  # type: ignore[arg-type]


async def fetched(submitter: RedisSubmitter, job_id: JobId) -> zipfile.ZipFile:
    outcome = await submitter.wait(job_id, timeout_ms=60_000)
    assert isinstance(outcome, JobResult), outcome
    assert outcome.parts is not None
    assert outcome.parts.count > 5
    parts = [await submitter.part(job_id, outcome.parts, index) for index in range(outcome.parts.count)]
    assert sum(map(len, parts)) == outcome.parts.total_bytes
    return zipfile.ZipFile(io.BytesIO(b"".join(parts)))


def assert_whole(archive: zipfile.ZipFile, undisturbed: zipfile.ZipFile) -> None:
    """Unsigned faces of one machine are equal to the byte: so is the zip, but for what nobody can see."""
    assert archive.testzip() is None
    assert archive.namelist() == undisturbed.namelist()
    assert len(set(archive.namelist())) == COUNT + 2
    for ours, plain in zip(archive.infolist(), undisturbed.infolist(), strict=True):
        assert (ours.CRC, ours.header_offset) == (plain.CRC, plain.header_offset)
        assert (ours.date_time, ours.external_attr) == (plain.date_time, plain.external_attr)
        assert (ours.flag_bits, ours.compress_type, ours.create_version) == (0, zipfile.ZIP_STORED, 20)


async def made_by(bench: Bench, faces: CountedTask, job: DatasetJob) -> zipfile.ZipFile:
    job_id = await bench.submitter.submit(job, lane=Lane.SLOW, timeout_ms=60_000)
    with bench.working(tasks={"dataset": DatasetTask(faces, LIMIT)}):
        return await fetched(bench.submitter, job_id)  # type: ignore[arg-type]


async def test_a_second_attempt_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.parts, "PART_BYTES", SMALL_PART)
    faces = CountedTask(dies_at=40)
    archive = await made_by(bench, faces, dataset(bench.model))
    assert_whole(archive, await made_by(bench, CountedTask(), dataset(bench.model)))
    again = [seed for seed in range(1, COUNT + 1) if faces.seeds.count(seed) == 2]
    assert 0 < len(again) < 10, "what lay in a part was not made again"
    assert set(faces.seeds) == set(range(1, COUNT + 1))


async def test_parts_of_something_else_are_made_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they may be while a newer release takes over from an older one."""
    monkeypatch.setattr(worker.parts, "PART_BYTES", SMALL_PART)
    plain = await made_by(bench, CountedTask(), dataset(bench.model))
    for foreign in (b"PK\x03\x04", plain.read("about.json")):
        job_id = await bench.submitter.submit(dataset(bench.model), lane=Lane.SLOW, timeout_ms=60_000)
        (delivery,) = bench.source.take([Lane.SLOW], max_jobs=1, wait_ms=0)
        bench.source.put_part(delivery, "foreign", 0, foreign)
        bench.source.retry(delivery, "It fell over.")
        with bench.working(tasks={"dataset": DatasetTask(CountedTask(), LIMIT)}):
            assert_whole(await fetched(bench.submitter, job_id), plain)  # type: ignore[arg-type]


async def test_kill_nine_loses_no_part(
    redis_url: str, bench: Bench, tiny_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.parts, "PART_BYTES", SMALL_PART)
    submitter = RedisSubmitter(redis_url, POLICY)
    job_id = await submitter.submit(dataset(bench.model), lane=Lane.SLOW, timeout_ms=60_000)
    child = "import sys; from tests.worker.test_dataset_goes_on import die_at_it; die_at_it(*sys.argv[1:])"
    command = [sys.executable, "-c", child, redis_url, str(tiny_store)]
    assert await asyncio.to_thread(subprocess.call, command, cwd=Path(__file__).parents[2]) == -signal.SIGKILL
    faces = CountedTask()
    source = RedisSource(redis_url, "second", POLICY)
    second = Bench(bench.catalogue, source)
    try:
        with second.working(tasks={"dataset": DatasetTask(faces, LIMIT)}):
            archive = await fetched(submitter, job_id)
    finally:
        source.close()
        await submitter.close()
    assert_whole(archive, await made_by(bench, CountedTask(), dataset(bench.model)))
    assert min(faces.seeds) > 30, "the dead worker had come to 40"
    assert faces.seeds == list(range(min(faces.seeds), COUNT + 1))


def die_at_it(redis_url: str, store: str) -> None:
    """The worker that is killed, in a process of its own."""
    worker.parts.PART_BYTES = SMALL_PART
    catalogue: Catalogue = find_models(Path(store), bundled=Path(store) / "nothing-bundled")
    tasks = {"generate": GenerateTask(), "dataset": DatasetTask(KilledTask(dies_at=40), LIMIT)}
    Worker(CONFIG, RedisSource(redis_url, "first", POLICY), LoadedModels(catalogue, CONFIG), tasks).run()
