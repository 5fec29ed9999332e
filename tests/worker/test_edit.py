"""Edits in a worker: along directions, in company, by address and from stored latents, on a real model."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.contract import LATENT, EditJob, GenerateJob, JobResult, Lane, PictureFormat
from jobs.memory_queue import MemoryQueue
from marks.recipe import SourceType
from marks.verify import verify
from models.catalogue import Catalogue
from models.direction_files import save_directions
from models.errors import DirectionsGone, NoSuchAttribute
from models.latents import seed_to_z
from models.live_catalogue import LiveCatalogue
from tests.some_directions import catalogue_of_one, model_with_directions, some_directions
from worker.config import WorkerConfig
from worker.errors import JobRefused
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.loop import Worker
from worker.tasks.edit import EditTask
from worker.tasks.task import stamp_for, tasks_for

CONFIG = WorkerConfig(worker_id="test", device="cpu", threads=1, stop_grace_s=10.0)


@pytest.fixture(scope="module")
def store(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("directed")
    model_with_directions(tiny_model, folder)
    return folder


@pytest.fixture(scope="module")
def shelf(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return catalogue_of_one(store, tmp_path_factory.mktemp("nothing"))[0]


@pytest.fixture(scope="module")
def models(shelf: Catalogue) -> Iterator[LoadedModels]:
    models = LoadedModels(shelf, CONFIG)
    models.open()
    yield models
    models.close()


@pytest.fixture(scope="module")
def tiny(models: LoadedModels, shelf: Catalogue) -> Iterator[LoadedGenerator]:
    with models.held(shelf.named("tiny").manifest.digest) as model:
        assert isinstance(model, LoadedGenerator)
        yield model


def job(model: LoadedGenerator, seed: int, **edits: float) -> GenerateJob:
    plain = GenerateJob(model.manifest.digest, seed, 0.7, 32, PictureFormat.PNG)
    return replace(plain, edits=tuple(edits.items()))


def drawn(models: LoadedModels, model: LoadedGenerator, jobs: list[GenerateJob]) -> np.ndarray:
    task = tasks_for(CONFIG, models.name_of, models.directions_of)["generate"]
    return task.run(task.prepare(jobs, model), model).astype(int)


def test_an_edited_face_in_company_is_the_edited_face_alone(models: LoadedModels, tiny: LoadedGenerator) -> None:
    jobs = [
        job(tiny, 1),
        job(tiny, 1, smile=2.0),
        job(tiny, 2, pose=-1.5),
        job(tiny, 2),
        job(tiny, 3, age=1.0, hue=-2.0, pose=1.0),
    ]
    together = drawn(models, tiny, jobs)
    alone = np.concatenate([drawn(models, tiny, [one]) for one in jobs])
    assert np.abs(together - alone).max() <= 1
    for edited, plain in ((1, 0), (2, 3)):
        assert np.abs(together[edited] - together[plain]).max() > 4


def test_an_edit_is_its_offset_on_ws(models: LoadedModels, tiny: LoadedGenerator) -> None:
    psi = np.full([1, tiny.manifest.num_ws], 0.7, np.float32)
    ws = tiny.mapping.run({"z": seed_to_z(5, 32), "psi": psi})["ws"]
    smile = some_directions()[0]
    moved = ws + np.float32(2.0 * smile.unit) * smile.vector
    wanted = tiny.synthesis.run({"ws": moved, "noise_strength": np.ones(1, np.float32)})["picture"].astype(int)
    assert np.abs(drawn(models, tiny, [job(tiny, 5, smile=2.0)]) - wanted).max() <= 1


def test_an_edit_in_z_is_its_offset_on_z(models: LoadedModels, tiny: LoadedGenerator) -> None:
    pose = some_directions()[3]
    psi = np.full([1, tiny.manifest.num_ws], 0.7, np.float32)
    ws = tiny.mapping.run({"z": seed_to_z(5, 32) - pose.unit * pose.vector, "psi": psi})["ws"]
    wanted = tiny.synthesis.run({"ws": ws, "noise_strength": np.ones(1, np.float32)})["picture"].astype(int)
    assert np.abs(drawn(models, tiny, [job(tiny, 5, pose=-1.0)]) - wanted).max() <= 1


def test_other_directions_than_the_job_means(models: LoadedModels, tiny: LoadedGenerator) -> None:
    with pytest.raises(DirectionsGone, match="The directions 00000000 of model 'tiny' are gone: it has"):
        drawn(models, tiny, [replace(job(tiny, 1, smile=1.0), directions="00000000")])
    with pytest.raises(NoSuchAttribute):
        drawn(models, tiny, [job(tiny, 1, grin=1.0)])


def test_the_recipe_tells_of_the_edit(models: LoadedModels, tiny: LoadedGenerator) -> None:
    known = models.directions_of(tiny.manifest.digest)
    wanted = replace(job(tiny, 1, age=-1.0, smile=1.5), keep=("hue",), directions=known.digest)
    task = tasks_for(CONFIG, models.name_of, models.directions_of)["generate"]
    body = task.finish(wanted, drawn(models, tiny, [wanted])[0].astype(np.uint8)).body
    recipe = verify(body).recipe
    assert recipe is not None
    assert recipe.parameters == {
        "truncation_psi": 0.7,
        "size": 32,
        "age": -1.0,
        "smile": 1.5,
        "keep": "hue",
        "directions": known.digest,
    }


def stored(model: LoadedGenerator, **fields: object) -> EditJob:
    plain = EditJob(model.manifest.digest, 32, PictureFormat.PNG)
    return replace(plain, **fields)  # type: ignore[arg-type]


def ws_of(model: LoadedGenerator, seed: int, psi: float = 0.7) -> np.ndarray:
    return model.mapping.run({"z": seed_to_z(seed, 32), "psi": np.full([1, 8], psi, np.float32)})["ws"][0]


def test_a_stored_latent_is_the_face_that_it_was(models: LoadedModels, tiny: LoadedGenerator) -> None:
    task = EditTask(directions_of=models.directions_of)

    def picture(latent: np.ndarray, wanted: EditJob) -> np.ndarray:
        inputs = {LATENT: latent.astype("<f4").tobytes()}
        return task.run(wanted, task.prepare(wanted, inputs, tiny), tiny, lambda _: None).astype(int)

    plain = picture(ws_of(tiny, 7), stored(tiny))
    assert np.abs(plain - drawn(models, tiny, [job(tiny, 7)])[0]).max() <= 1
    edited = picture(ws_of(tiny, 7), stored(tiny, edits=(("smile", 2.0),)))
    assert np.abs(edited - drawn(models, tiny, [job(tiny, 7, smile=2.0)])[0]).max() <= 1
    truncated = picture(ws_of(tiny, 7, psi=1.0), stored(tiny, truncation_psi=0.7))
    assert np.abs(truncated - plain).max() <= 1
    body = task.finish(stored(tiny), plain.astype(np.uint8), {}).body
    assert Image.open(io.BytesIO(body)).size == (32, 32)


def test_what_came_of_a_photo_says_so(tiny: LoadedGenerator) -> None:
    task = EditTask(stamp_for(CONFIG), lambda _: "tiny")
    report = verify(task.finish(stored(tiny), np.zeros((32, 32, 3), np.uint8), {}).body)
    assert report.xmp is not None
    assert report.xmp.source_type == SourceType.COMPOSITE
    assert report.recipe is not None
    assert report.recipe.kind == "edit"


@pytest.mark.parametrize(
    ("inputs", "edits", "sentence"),
    [
        ({}, (), "time to live passed"),
        ({LATENT: b"\0" * 4}, (), "has 1024 bytes; this one has 4"),
        ({LATENT: np.full(256, np.nan, "<f4").tobytes()}, (), "not finite"),
        ({LATENT: b"\0" * 1024}, (("pose", 1.0),), "has no z, in which pose would move it"),
    ],
)
def test_what_is_no_latent(
    models: LoadedModels,
    tiny: LoadedGenerator,
    inputs: dict[str, bytes],
    edits: tuple[tuple[str, float], ...],
    sentence: str,
) -> None:
    task = EditTask(directions_of=models.directions_of)
    with pytest.raises(JobRefused, match=sentence):
        task.prepare(stored(tiny, edits=edits), inputs, tiny)


@pytest.mark.anyio
async def test_a_running_worker_edits_and_follows_new_directions(tiny_model: Path, tmp_path: Path) -> None:
    import threading

    folder = model_with_directions(tiny_model, tmp_path)
    live = LiveCatalogue(tmp_path, bundled=tmp_path / "nothing")
    queue = MemoryQueue()
    worker = Worker(CONFIG, queue.source, LoadedModels(live, CONFIG))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        entry = live.now.named("tiny")

        async def face(wanted: GenerateJob | EditJob, inputs: dict[str, bytes] | None = None) -> np.ndarray:
            submitted = await queue.submitter.submit(wanted, lane=Lane.QUICK, timeout_ms=20_000, inputs=inputs)
            outcome = await queue.submitter.wait(submitted, timeout_ms=20_000)
            assert isinstance(outcome, JobResult), outcome
            return np.asarray(Image.open(io.BytesIO(outcome.body))).astype(int)

        plain = GenerateJob(entry.manifest.digest, 7, 0.7, 32, PictureFormat.PNG)
        smiling = replace(plain, edits=(("smile", 2.0),), directions=entry.directions.digest)
        before = await face(smiling)
        assert np.abs(before - await face(plain)).max() > 4
        latent = np.zeros([8, 32], "<f4").tobytes()
        assert (await face(EditJob(entry.manifest.digest, 16, PictureFormat.PNG), {LATENT: latent})).shape == (
            16,
            16,
            3,
        )
        save_directions(folder, [replace(some_directions()[0], unit=1.0)])
        now = live.look().named("tiny").directions
        after = await face(replace(smiling, directions=now.digest))
        assert np.abs(after - before).max() > 4
    finally:
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()
