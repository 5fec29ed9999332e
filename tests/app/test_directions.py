"""/v1/directions: taught by faces, tried by /v1/edits, taken home as a file, and forgotten."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from models.catalogue import find_models
from models.direction_files import directions_from_bytes, save_directions
from models.directions import Direction
from models.manifest import MANIFEST_FILE
from tests.app.inverting import Finder, finder
from tests.some_directions import vector
from tests.tiny_model import TINY

TAUGHT = "/v1/directions"
SCORES = {str(seed): 1 if seed % 2 else -1 for seed in range(24)}


@pytest.fixture(scope="module")
def store(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("taught")
    shutil.copytree(tiny_store / TINY, store / TINY)
    save_directions(store / TINY, [Direction("smile", "w", vector(1), low=-2, high=3)])
    return store


@pytest.fixture(scope="module")
def found(store: Path) -> Iterator[Finder]:
    with finder(store) as running:
        yield running


def teach(found: Finder, **wish: Any) -> httpx.Response:
    return found.client.post(TAUGHT, json={"name": "cheerful", "scores": SCORES, **wish})


def edited(found: Finder, **wish: Any) -> np.ndarray:
    reply = found.client.post("/v1/edits", json={"format": "png", **wish})
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content))).astype(int)


def test_it_is_taught_tried_taken_home_and_forgotten(found: Finder) -> None:
    told = teach(found, meaning="from even to odd").json()
    assert (told["name"], told["meaning"], told["model"]) == ("cheerful", "from even to odd", found.manifest.digest)
    assert (told["more"], told["less"], told["kept_s"]) == (12, 12, 3600)
    assert 0 <= told["accuracy"] <= 1
    assert found.client.get(told["address"]).json() == told
    plain = edited(found, seed=3)
    still = edited(found, seed=3, taught=told["id"])
    assert np.abs(plain - still).max() <= 1
    moved = edited(found, seed=3, taught=told["id"], attributes={"cheerful": 3})
    assert np.abs(moved - plain).max() > 20
    file = found.client.get(told["file"])
    assert "cheerful.npz" in file.headers["Content-Disposition"]
    (direction,) = directions_from_bytes(file.content, found.manifest).values()
    assert (direction.name, direction.accuracy) == ("cheerful", told["accuracy"])
    assert found.client.delete(told["address"]).status_code == 204
    assert found.client.get(told["address"]).status_code == 404
    gone = found.client.post("/v1/edits", json={"seed": 3, "taught": told["id"], "attributes": {"cheerful": 3}})
    assert gone.json()["type"] == "/problems/job-not-found"


def test_it_moves_as_it_would_in_the_models_folder(found: Finder, store: Path, tmp_path: Path) -> None:
    told = teach(found).json()
    wish = {"seed": 5, "attributes": {"cheerful": 2, "smile": -1}, "keep": [], "truncation_psi": 0.8}
    tried = edited(found, taught=told["id"], **wish)
    known = find_models(store, bundled=tmp_path).named(TINY).directions
    taught = directions_from_bytes(found.client.get(told["file"]).content, found.manifest)
    shutil.copytree(store / TINY, tmp_path / TINY)
    save_directions(tmp_path / TINY, [*known.values(), *taught.values()])
    with finder(tmp_path) as kept:
        assert np.abs(edited(kept, **wish) - tried).max() <= 1


def test_its_recipe_says_what_it_was(found: Finder) -> None:
    told = teach(found).json()
    wish = {"seed": 7, "taught": told["id"], "attributes": {"cheerful": 1.5}}
    reply = found.client.post("/v1/edits", json=wish, headers={"Accept": "application/json"}).json()
    assert (reply["recipe"]["seed"], reply["recipe"]["taught"], reply["recipe"]["address"]) == ("7", told["id"], None)
    assert reply["recipe"]["attributes"] == {"cheerful": 1.5}
    picture = found.client.post("/v1/edits", json=wish)
    recipe = found.client.post("/v1/verify", content=picture.content).json()["recipe"]
    assert (recipe["seed"], recipe["parameters"]["cheerful"], recipe["page"]) == ("7", 1.5, None)


def test_a_copy_with_other_directions_takes_none_from_the_model(store: Path, tmp_path: Path) -> None:
    """One model, two names: the web would look the directions up by the one, the worker by the other."""
    shutil.copytree(store / TINY, tmp_path / TINY)
    manifest = (shutil.copytree(store / TINY, tmp_path / "zz-copy") / MANIFEST_FILE).resolve()
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "name": "zz-copy"}))
    save_directions(tmp_path / "zz-copy", [Direction("grin", "w", vector(1), low=-2, high=3)])
    with finder(tmp_path) as both:
        picture = both.client.get("/v1/faces/9.png?smile=1.5")
        assert picture.status_code == 200, picture.text
        recipe = both.client.post("/v1/verify", content=picture.content).json()["recipe"]
        assert recipe["parameters"]["smile"] == 1.5
        assert [model["name"] for model in both.client.get("/v1/models").json()["models"]] == [TINY]
        assert both.client.get("/v1/faces/9.png?model=zz-copy").json()["type"] == "/problems/model-not-found"


@pytest.mark.parametrize(
    ("wish", "slug", "sentence"),
    [
        ({"name": "mix"}, "direction-refused", "a parameter of addresses"),
        ({"name": "smile"}, "direction-refused", "has a direction 'smile' already"),
        ({"name": "Cheerful!"}, "invalid-parameter", ""),
        ({"scores": {"1": 1, "2": -1}}, "direction-refused", "1 faces have more of it and 1 less"),
        ({"scores": {**SCORES, "99": 0, "1": 0} | dict.fromkeys("13579", 1)}, "", ""),
        ({"scores": {**SCORES, "18446744073709551616": 1}}, "seed-out-of-range", ""),
        ({"scores": {**SCORES, "-3": 1}}, "invalid-parameter", ""),
        ({"scores": {**SCORES, "3": 2}}, "invalid-parameter", ""),
        ({"model": "nobody"}, "model-not-found", ""),
    ],
)
def test_what_teaches_nothing_is_refused(found: Finder, wish: dict[str, Any], slug: str, sentence: str) -> None:
    reply = teach(found, **wish)
    if not slug:
        assert reply.status_code == 200, reply.text
        return
    assert reply.json()["type"] == f"/problems/{slug}", reply.text
    assert sentence in reply.json()["detail"]


def test_ids_of_other_jobs_are_no_directions(found: Finder) -> None:
    job = found.client.post("/v1/jobs", json={"kind": "generate", "seed": 1}).json()
    found.until_over(job["address"])
    assert found.client.get(f"{TAUGHT}/{job['id']}").json()["type"] == "/problems/no-direction"
    told = teach(found).json()
    assert found.client.get(f"/v1/inversions/{told['id']}").json()["type"] == "/problems/no-latent"
    asked = {"seed": 1, "taught": told["id"], "attributes": {"glum": 1}}
    assert found.client.post("/v1/edits", json=asked).json()["type"] == "/problems/no-such-attribute"
    asked["attributes"] = {"cheerful": 3.5}
    assert found.client.post("/v1/edits", json=asked).json()["type"] == "/problems/attribute-out-of-range"
