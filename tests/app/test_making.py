"""POST /v1/jobs and /v1/datasets, and Prefer on faces, over a real uvicorn with a real worker, on both queues."""

import io
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.config import AppConfig
from app.web import create_app
from jobs.queue import DEFAULT_POLICY
from models.catalogue import Catalogue, find_models
from tests.app.service import serving, until
from tests.app.translating import ends, working
from tests.app.watching_jobs import events_in
from tests.tiny_model import TINY

CONFIG = AppConfig(default_model=TINY, ready_faces=0, max_dataset_faces=500)


@pytest.fixture(scope="module")
def tiny_catalogue(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return find_models(tiny_store, bundled=tmp_path_factory.mktemp("nothing-bundled"))


@pytest.fixture(scope="module", params=["memory", "redis"])
def client(request: pytest.FixtureRequest, tiny_catalogue: Catalogue) -> Iterator[httpx.Client]:
    queue = "memory"
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.flush()
        queue = server.url
    with faces_service(tiny_catalogue, queue) as client:
        yield client


@contextmanager
def faces_service(shelf: Catalogue, queue: str) -> Iterator[httpx.Client]:
    submitter, source = ends(queue, DEFAULT_POLICY)
    with working(shelf, source), serving(create_app(CONFIG, submitter, shelf)) as client:
        until(lambda: client.get("/readyz").status_code == 200, timeout_s=60)
        yield client


def over(client: httpx.Client, reply: httpx.Response) -> str:
    """The address of the result of an accepted job, once it is done."""
    assert reply.status_code == 202, reply.text
    address = reply.headers["Location"]
    until(lambda: client.get(address).json()["state"] not in ("waiting", "running"), timeout_s=60)
    document = client.get(address).json()
    assert document["state"] == "done", document
    return str(document["result"])


def pixels(reply: httpx.Response) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content))).astype(int)


def test_a_face_as_a_job_is_the_face_of_its_seed(client: httpx.Client) -> None:
    asked = {"kind": "generate", "seed": 7, "format": "png", "truncation_psi": 0.5}
    reply = client.post("/v1/jobs", json=asked)
    made = pixels(client.get(over(client, reply)))
    assert np.abs(made - pixels(client.get("/v1/faces/7.png?truncation_psi=0.5"))).max() <= 1
    waited = client.post("/v1/jobs", json=asked, headers={"Prefer": "wait=20"})
    assert waited.headers["Preference-Applied"] == "wait=20"
    assert np.abs(pixels(waited) - made).max() <= 1


def test_a_drawn_seed_with_a_key_is_drawn_once(client: httpx.Client) -> None:
    keyed = {"Idempotency-Key": f"draw-{time.time()}"}
    replies = [client.post("/v1/jobs", json={"kind": "generate"}, headers=keyed) for _ in range(3)]
    assert len({reply.headers["Location"] for reply in replies}) == 1
    other = client.post("/v1/jobs", json={"kind": "generate", "size": 16}, headers=keyed)
    assert other.json()["type"] == "/problems/idempotency-key-reused"


def test_what_is_no_job(client: httpx.Client) -> None:
    for asked, kind in (
        ({"kind": "paint"}, "invalid-parameter"),
        ({}, "invalid-parameter"),
        ({"kind": "generate", "colour": "red"}, "invalid-parameter"),
        ({"kind": "generate", "seed": -1}, "seed-out-of-range"),
        ({"kind": "generate", "size": 4000}, "size-out-of-range"),
        ({"kind": "edit"}, "seed-or-latent"),
        ({"kind": "dataset", "count": 501}, "too-many-faces"),
        ({"kind": "dataset", "count": 0}, "invalid-parameter"),
        ({"kind": "dataset", "count": 2, "attributes": {"wings": [0, 1]}}, "no-such-attribute"),
    ):
        reply = client.post("/v1/jobs", json=asked)
        assert reply.status_code == 422, asked
        assert reply.json()["type"] == f"/problems/{kind}", asked


def test_a_data_set_comes_as_a_zip_and_tells_how_far_it_is(client: httpx.Client) -> None:
    reply = client.post("/v1/datasets", json={"count": 40, "seed": "18446744073709551610", "format": "png"})
    with client.stream("GET", f"{reply.headers['Location']}/events") as stream:
        told = list(events_in(stream.iter_lines()))
    assert told[-1].name == "done"
    assert any(event.name == "progress" and 0 < event.data["progress"] < 1 for event in told)
    with client.stream("GET", over(client, reply)) as result:
        assert result.headers["Content-Type"] == "application/zip"
        body = result.read()
        assert int(result.headers["Content-Length"]) == len(body)
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 42
    labels = archive.read("labels.csv").decode().splitlines()
    assert labels[0] == "file,seed,truncation_psi"
    assert labels[-1].startswith("faces/000039.png,33,"), "after the highest seed comes 0"
    assert client.delete(reply.headers["Location"]).status_code == 204
    assert client.get(f"{reply.headers['Location']}/result").status_code == 404


def test_a_face_with_prefer_may_come_as_an_address(client: httpx.Client) -> None:
    accepted = client.get("/v1/faces/9.png", headers={"Prefer": "respond-async"})
    assert accepted.headers["Cache-Control"] == "no-store"
    made = pixels(client.get(over(client, accepted)))
    waited = client.get("/v1/faces/9.png", headers={"Prefer": "wait=20"})
    assert np.abs(pixels(waited) - made).max() <= 1
    assert waited.headers["Content-Location"].startswith("/v1/faces/9.png?")
    assert "immutable" in waited.headers["Cache-Control"]


def test_a_crowds_first_requests_meet_no_half_made_description(tiny_catalogue: Catalogue) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with faces_service(tiny_catalogue, "memory") as client, ThreadPoolExecutor(40) as pool:
        addresses = [f"/v1/faces?count={count}" for count in range(1, 41)]
        assert {reply.status_code for reply in pool.map(client.get, addresses)} == {200}
