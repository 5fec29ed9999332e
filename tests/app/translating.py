"""A web that translates for tests: the tiny translator behind a real worker, on either queue."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import numpy as np
from PIL import Image

from app.config import AppConfig
from jobs.queue import DEFAULT_POLICY, JobSource, JobSubmitter, QueuePolicy
from jobs.redis_queue import RedisSource, RedisSubmitter
from models.catalogue import Catalogue
from tests.app.conftest import submitter_and_source
from tests.app.service import quickly_created, serving, until
from tests.tiny_translator import BLOTS
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModels
from worker.loop import Worker

CONFIG = AppConfig(default_model=BLOTS, ready_faces=0)
TRANSLATIONS = f"/v1/translations?style={BLOTS}"


@dataclass
class Studio:
    """A running web with its worker."""

    client: httpx.Client
    worker: Worker
    digest: str

    def post(self, body: bytes, query: str = "", **headers: str) -> httpx.Response:
        """The photo as the body. headers: with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"{TRANSLATIONS}{query}", content=body, headers=named)

    def state(self, address: str) -> dict[str, Any]:
        """What a job's address says."""
        reply = self.client.get(address)
        assert reply.status_code == 200, reply.text
        document: dict[str, Any] = reply.json()
        return document

    def until_over(self, address: str) -> dict[str, Any]:
        until(lambda: self.state(address)["state"] not in ("waiting", "running"), timeout_s=60)
        return self.state(address)


def ends(queue: str, policy: QueuePolicy = DEFAULT_POLICY) -> tuple[JobSubmitter, JobSource]:
    """Both ends of a queue: `memory` or an address."""
    if queue == "memory":
        return submitter_and_source(policy)
    return RedisSubmitter(queue, policy), RedisSource(queue, "painter", policy)


@contextmanager
def studio(
    shelf: Catalogue, queue: str, config: AppConfig = CONFIG, policy: QueuePolicy = DEFAULT_POLICY, **of_worker: Any
) -> Iterator[Studio]:
    """While this lasts, photos are translated."""
    submitter, source = ends(queue, policy)
    with working(shelf, source, **of_worker) as worker, serving(quickly_created(config, submitter, shelf)) as client:
        digest = shelf.named(BLOTS).manifest.digest
        until(lambda: client.get("/v1/styles").json()["styles"][0]["ready"], timeout_s=60)
        yield Studio(client, worker, digest)


@contextmanager
def working(shelf: Catalogue, source: JobSource, **of_worker: Any) -> Iterator[Worker]:
    """While this lasts, a worker takes jobs; at its end the source is closed."""
    worker_config = replace(WorkerConfig("painter", device="cpu", threads=1), **of_worker)
    worker = Worker(worker_config, source, LoadedModels(shelf, worker_config))
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(20)
        source.close()
    assert not thread.is_alive()


def opened(reply: httpx.Response) -> Image.Image:
    assert reply.status_code == 200, reply.text
    return Image.open(io.BytesIO(reply.content))


def photo(height: int, width: int, kind: str = "JPEG", seed: int = 0) -> bytes:
    """Coarse tiles of many colours, as a file."""
    coarse = np.random.default_rng(seed).integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    pixels = coarse.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()
