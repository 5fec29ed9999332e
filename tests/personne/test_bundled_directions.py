"""The bundled model smiles, ages, changes sex and turns: by its estimators, by its figures, and over HTTP."""

import io
import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from PIL import Image

from models.catalogue import BUNDLED, ModelEntry, open_model
from personne.commands.directions_range import move
from personne.commands.latent_faces import Estimators, LatentFaces, opened_estimators, opened_faces
from personne.commands.measure_directions import ENOUGH, MEASURED_FILE
from tests.personne.processes import ADDRESS, personne, ready
from tests.served_model import BUNDLED_MODEL

SHIPPED = ("smile", "age", "gender", "pose")
SEEDS = range(8)
STRAY = {"age": 2, "gender": 1}
"""Of the seeds, how many its estimator takes for no older, or for no more of a man."""

pytestmark = pytest.mark.skipif(not (BUNDLED / BUNDLED_MODEL).is_dir(), reason="no model is bundled")


@pytest.fixture(scope="module")
def entry() -> ModelEntry:
    return open_model(BUNDLED / BUNDLED_MODEL, "bundled")


@pytest.fixture(scope="module")
def faces(entry: ModelEntry) -> Iterator[LatentFaces]:
    with opened_faces(entry, "cpu") as faces:
        yield faces


@pytest.fixture(scope="module")
def estimators() -> Iterator[Estimators]:
    with opened_estimators() as estimators:
        yield estimators


def test_its_directions_are_whole(entry: ModelEntry) -> None:
    assert entry.directions_refused == ""
    assert set(SHIPPED) <= set(entry.directions)
    for direction in entry.directions.values():
        assert direction.meaning
        assert direction.accuracy is not None


@pytest.mark.parametrize("name", SHIPPED)
def test_a_direction_moves_what_it_says(
    entry: ModelEntry, faces: LatentFaces, estimators: Estimators, name: str
) -> None:
    direction, z = entry.directions[name], faces.z_of(SEEDS)
    column = estimators.names.index(name)
    less, more = (
        estimators.scores(list(faces.pictures(move(faces, direction, strength, z))))[:, column]
        for strength in (-1.5, 1.5)
    )
    assert (more <= less).sum() <= STRAY.get(name, 0), (less, more)
    assert more.mean() > less.mean()


def test_no_other_kept_one_moves_a_third_as_much(entry: ModelEntry) -> None:
    measured = json.loads((entry.folder / MEASURED_FILE).read_text())["directions"]
    assert {one["name"]: one["ratio"] >= ENOUGH for one in measured} == dict.fromkeys(entry.directions, True)
    # Whoever is moved by one stays nearer to who it was than another face is.
    assert all(0 < one["identity"] < 1 for one in measured)


def test_a_served_face_smiles(served: dict[str, str]) -> None:
    with personne("serve", "--port", "0", env=served) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        pictures = [
            httpx.get(f"{address}/v1/faces/7.png?{query}", timeout=30, trust_env=False)
            for query in ("", "smile=2", "smile=2&keep=age,gender")
        ]
        assert [reply.status_code for reply in pictures] == [200, 200, 200]
        plain, smiling, kept = (np.asarray(Image.open(io.BytesIO(reply.content))).astype(int) for reply in pictures)
        assert np.abs(smiling - plain).mean() > 2
        # Directions that were found together are at right angles: there is nothing to keep.
        assert np.abs(kept - smiling).max() <= 1
        listed = httpx.get(f"{address}/v1/attributes", timeout=30, trust_env=False).json()["attributes"]
        assert set(SHIPPED) <= {one["name"] for one in listed}
