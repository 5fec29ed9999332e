"""Style mixing in a worker: layers of other seeds, alone and in company, with edits, on stored latents."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.contract import LATENT, EditJob, GenerateJob, PictureFormat
from marks.recipe import Recipe
from models.catalogue import Catalogue
from models.engines.engine import Array
from tests.some_directions import catalogue_of_one, model_with_directions
from worker.config import WorkerConfig
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.tasks.edit import EditTask
from worker.tasks.generate import GenerateTask, mapping_inputs, recipe_of

CONFIG = WorkerConfig(worker_id="test", device="cpu", threads=1)


@pytest.fixture(scope="module")
def shelf(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    store = tmp_path_factory.mktemp("mixed")
    model_with_directions(tiny_model, store)
    return catalogue_of_one(store, tmp_path_factory.mktemp("nothing"))[0]


@pytest.fixture(scope="module")
def tiny(shelf: Catalogue) -> Iterator[LoadedGenerator]:
    models = LoadedModels(shelf, CONFIG)
    models.open()
    with models.held(shelf.named("tiny").manifest.digest) as model:
        assert isinstance(model, LoadedGenerator)
        yield model
    models.close()


@pytest.fixture(scope="module")
def task(shelf: Catalogue) -> GenerateTask:
    return GenerateTask(directions_of=lambda digest: shelf.with_digest(digest).directions)


def face(model: LoadedGenerator, seed: int, *mix: tuple[int, int, int, float], **edits: float) -> GenerateJob:
    plain = GenerateJob(model.manifest.digest, seed, 0.7, 32, PictureFormat.PNG)
    return replace(plain, mix=mix, edits=tuple(edits.items()))


def drawn(task: GenerateTask, model: LoadedGenerator, *jobs: GenerateJob) -> Array:
    return task.run(task.prepare(jobs, model), model).astype(int)


def ws_of(model: LoadedGenerator, seed: int) -> Array:
    return model.mapping.run(mapping_inputs([face(model, seed)], model.manifest))["ws"]


def test_all_layers_of_another_are_the_other(task: GenerateTask, tiny: LoadedGenerator) -> None:
    last = tiny.manifest.num_ws - 1
    mixed, other, own = drawn(task, tiny, face(tiny, 7, (9, 0, last, 1.0)), face(tiny, 9), face(tiny, 7))
    assert np.abs(mixed - other).max() <= 1
    assert np.abs(mixed - own).max() > 10


def test_layers_come_from_where_the_mix_says(task: GenerateTask, tiny: LoadedGenerator) -> None:
    mixed = drawn(task, tiny, face(tiny, 7, (9, 0, 2, 1.0), (4, 5, 5, 1.0)))
    ws = ws_of(tiny, 7).copy()
    ws[:, :3], ws[:, 5] = ws_of(tiny, 9)[:, :3], ws_of(tiny, 4)[:, 5]
    by_hand = tiny.synthesis.run({"ws": ws, "noise_strength": np.ones(1, np.float32)})["picture"]
    assert np.abs(mixed - by_hand.astype(int)).max() <= 1


def test_part_of_the_way_is_a_neighbour(task: GenerateTask, tiny: LoadedGenerator) -> None:
    last = tiny.manifest.num_ws - 1
    own, near, other = drawn(task, tiny, face(tiny, 7), face(tiny, 7, (9, 0, last, 0.35)), face(tiny, 9))
    assert 0 < np.abs(near - own).mean() < np.abs(near - other).mean()
    ws = 0.35 * ws_of(tiny, 9) + 0.65 * ws_of(tiny, 7)
    by_hand = tiny.synthesis.run({"ws": ws.astype(np.float32), "noise_strength": np.ones(1, np.float32)})["picture"][0]
    assert np.abs(near - by_hand.astype(int)).max() <= 1


def test_a_mixed_face_in_company_is_the_mixed_face_alone(task: GenerateTask, tiny: LoadedGenerator) -> None:
    jobs = [
        face(tiny, 1),
        face(tiny, 1, (9, 0, 3, 1.0)),
        face(tiny, 2, (9, 4, 7, 1.0), pose=1.5),
        face(tiny, 2, smile=2.0),
        face(tiny, 3, (1, 0, 0, 1.0), (2, 6, 7, 1.0), smile=-1.0),
    ]
    together = drawn(task, tiny, *jobs)
    alone = np.concatenate([drawn(task, tiny, one) for one in jobs])
    assert np.abs(together - alone).max() <= 1
    assert np.abs(together[0] - together[1]).max() > 10


def test_edits_in_z_move_the_mixed_layers_too(task: GenerateTask, tiny: LoadedGenerator) -> None:
    last = tiny.manifest.num_ws - 1
    mixed, moved = drawn(task, tiny, face(tiny, 7, (9, 0, last, 1.0), pose=2.0), face(tiny, 9, pose=2.0))
    assert np.abs(mixed - moved).max() <= 1


def test_a_stored_latent_is_mixed_alike(tiny: LoadedGenerator) -> None:
    stored = ws_of(tiny, 7).astype("<f4").tobytes()
    job = EditJob(tiny.manifest.digest, 32, PictureFormat.PNG, mix=((9, 0, 3, 1.0),))
    edit = EditTask()
    picture = edit.run(job, edit.prepare(job, {LATENT: stored}, tiny), tiny, lambda _: None).astype(int)
    # The stored one is as it is, psi 0.7 already; the other is drawn at the job's own psi.
    ws = ws_of(tiny, 7).copy()
    plain = replace(face(tiny, 9), truncation_psi=1.0)
    ws[:, :4] = tiny.mapping.run(mapping_inputs([plain], tiny.manifest))["ws"][:, :4]
    by_hand = tiny.synthesis.run({"ws": ws, "noise_strength": np.ones(1, np.float32)})["picture"][0]
    assert np.abs(picture - by_hand.astype(int)).max() <= 1


def test_the_recipe_tells_of_the_mix(tiny: LoadedGenerator) -> None:
    recipe = recipe_of(face(tiny, 7, (9, 0, 3, 1.0), (4, 7, 7, 1.0)), "tiny")
    assert isinstance(recipe, Recipe)
    assert recipe.parameters["mix"] == "9:0-3,4:7"
    assert "mix" not in recipe_of(face(tiny, 7), "tiny").parameters
