"""From the request to a picture of a real model and back: web, memory queue, worker, graphs."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.config import AppConfig
from app.web import create_app
from jobs.queue import DEFAULT_POLICY
from models.catalogue import find_models
from tests.app.conftest import submitter_and_source
from tests.app.service import serving, until
from tests.tiny_model import TINY
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModels
from worker.loop import Worker


@pytest.fixture(scope="module")
def client(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    models = find_models(tiny_store, bundled=tmp_path_factory.mktemp("nothing-bundled"))
    submitter, source = submitter_and_source(DEFAULT_POLICY)
    config = WorkerConfig("beside-the-web", device="cpu")
    worker = Worker(config, source, LoadedModels(models, config))
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    with serving(create_app(AppConfig(default_model=TINY, ready_faces=8), submitter, models)) as client:
        until(lambda: client.get("/readyz").status_code == 200, timeout_s=60)
        yield client
        worker.stop()
    thread.join(10)
    source.close()
    assert not thread.is_alive()


def pixels(reply: httpx.Response) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content)))


def test_two_faces_of_the_models_size(client: httpx.Client) -> None:
    first, second = pixels(client.get("/face")), pixels(client.get("/face"))
    assert first.shape == second.shape == (32, 32, 3)
    assert not np.array_equal(first, second)


def test_a_seed_stays_and_is_the_same_in_company(client: httpx.Client) -> None:
    alone = pixels(client.get("/v1/faces/7.png"))
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(client.get, [f"/v1/faces/{seed}.png" for seed in (*range(15), 7)]))
    assert np.abs(pixels(replies[7]).astype(int) - alone).max() <= 1
    assert np.abs(pixels(replies[15]).astype(int) - alone).max() <= 1
    assert not np.array_equal(pixels(replies[8]), alone)


def test_sixty_four_at_once_are_sixty_four_faces(client: httpx.Client) -> None:
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda _: client.get("/face"), range(64)))
    assert len({pixels(reply).tobytes() for reply in replies}) == 64


def test_the_face_given_by_the_pool_is_at_its_permanent_address(client: httpx.Client) -> None:
    until(lambda: "\npersonne_ready_faces 8.0\n" in client.get("/metrics").text)
    given = client.get("/face")
    permanent = client.get(given.headers["Content-Location"])
    assert np.abs(pixels(given).astype(int) - pixels(permanent)).max() <= 2


def test_psi_0_is_one_face_and_psi_1_is_not(client: httpx.Client) -> None:
    average = [pixels(client.get(f"/v1/faces/{seed}.png?truncation_psi=0")) for seed in (1, 2)]
    free = [pixels(client.get(f"/v1/faces/{seed}.png?truncation_psi=1")) for seed in (1, 2)]
    assert np.abs(average[0].astype(int) - average[1]).max() <= 1
    assert np.abs(free[0].astype(int) - free[1]).max() > 8


def test_smaller_by_size(client: httpx.Client) -> None:
    assert pixels(client.get("/v1/faces/7.png?size=16")).shape == (16, 16, 3)


def test_the_stages_are_measured(client: httpx.Client) -> None:
    client.get("/v1/faces/7.png")
    text = client.get("/metrics").text
    for stage in ("queue_wait", "inference", "encode"):
        count = next(line for line in text.splitlines() if line.startswith(f"personne_{stage}_seconds_count"))
        assert float(count.split()[1]) >= 1
