"""Faces that came with the release: /face gives them while none can be made, and says so."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app.config import AppConfig
from app.web import create_app
from jobs.memory_queue import MemoryQueue
from jobs.queue import DEFAULT_POLICY, JobSubmitter
from jobs.redis_queue import RedisSubmitter
from marks import xmp
from models.catalogue import Catalogue, find_models
from models.spare_faces import spare_faces
from tests.app.service import serving

CONFIG = AppConfig(ready_faces=0, request_timeout_s=3.0)


@pytest.fixture
def here(tmp_path: Path) -> Catalogue:
    """The bundled models."""
    return find_models(tmp_path)


def without_workers() -> JobSubmitter:
    return MemoryQueue(DEFAULT_POLICY).submitter


def without_queue() -> JobSubmitter:
    # Nobody listens on the port of tcpmux here.
    return RedisSubmitter("redis://127.0.0.1:1/0", DEFAULT_POLICY)


@contextmanager
def web(submitter: JobSubmitter, here: Catalogue) -> Iterator[httpx.Client]:
    with serving(create_app(CONFIG, submitter, here)) as client:
        yield client


@pytest.mark.parametrize("submitter", [without_workers, without_queue])
def test_a_face_is_given_although_none_can_be_made(submitter: object, here: Catalogue) -> None:
    assert callable(submitter)
    spares = spare_faces(here.named("faces").folder)
    with web(submitter(), here) as client:
        reply = client.get("/face")
        assert (reply.status_code, reply.headers["Personne-Spare"]) == (200, "yes")
        seed = int(reply.headers["Personne-Seed"])
        assert reply.content == spares[seed]
        assert reply.headers["Content-Location"].startswith(f"/v1/faces/{seed}.jpg?")
        assert reply.headers["Cache-Control"] == "no-store"
        assert "This one came with the service." in client.get("/").text
        assert client.get("/livez").status_code == 200


def test_what_only_a_worker_can_do_is_refused(here: Catalogue) -> None:
    with web(without_workers(), here) as client:
        for address in ("/face?size=32", "/face?format=png", "/v1/faces/7.jpg", "/?seed=7"):
            reply = client.get(address)
            assert reply.status_code == 503, address
            assert "Retry-After" in reply.headers


def test_the_bundled_ones_are_whole_and_marked(here: Catalogue) -> None:
    entry = here.named("faces")
    spares = spare_faces(entry.folder)
    assert sorted(spares) == list(range(24))
    for seed, body in spares.items():
        with Image.open(io.BytesIO(body)) as face:
            assert (face.format, face.size) == ("JPEG", (entry.generator.resolution,) * 2)
            found = xmp.read(face)
        assert found is not None
        recipe = found.recipe
        assert recipe is not None
        assert (recipe.seed, recipe.digest) == (seed, entry.manifest.digest), "export the model again, with --out"
