"""What the web's tests run against: a real uvicorn on loopback, a real memory queue, and a worker that paints."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from PIL import Image

from app.config import AppConfig
from app.web import create_app
from jobs.contract import Delivery, GenerateJob, GridJob, JobFailure, JobOutcome, JobResult, Lane, WorkerBeat
from jobs.queue import JobSource, JobSubmitter
from models.catalogue import Catalogue, ModelEntry, Shelf
from models.manifest import GeneratorManifest, GraphSpec, TranslatorManifest
from tests.plain_http import NO_TLS

PILLOW_NAMES = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}


def manifest(name: str = "faces", resolution: int = 64, sha256: str = "a" * 64, **fields: object) -> GeneratorManifest:
    """A manifest as an export writes it, or changed in some fields. The web reads nothing else of a model."""
    graph = GraphSpec(file="graph.onnx", sha256=sha256, bytes=1000)
    plain = GeneratorManifest(
        name=name,
        family="stylegan2",
        resolution=resolution,
        z_dim=32,
        c_dim=0,
        w_dim=32,
        num_ws=10,
        graphs={"mapping": graph, "synthesis": graph},
        licence="CC0-1.0",
        origin="written for tests",
        w_avg=(0.0,) * 32,
    )
    return plain.model_copy(update=fields)


def catalogue(*manifests: GeneratorManifest | TranslatorManifest) -> Catalogue:
    """A catalogue of these models."""
    return Catalogue({one.name: ModelEntry(one, Path(), "bundled") for one in manifests})


def paint(job: GenerateJob | GridJob) -> JobResult:
    """A picture whose colours are the seed's: real bytes of the size and format that are asked; of a grid, one cell."""
    seed = job.seeds[0] if isinstance(job, GridJob) else job.seed
    rgb = tuple((seed >> shift) & 255 for shift in (0, 8, 16))
    encoded = io.BytesIO()
    Image.new("RGB", (job.size, job.size), rgb).save(encoded, PILLOW_NAMES[job.format.value], quality=90)
    timings = {"queue_wait": 1.0, "inference": 2.0, "encode": 3.0}
    return JobResult(encoded.getvalue(), job.format.media_type, timings, batch_size=1)


class Painter:
    """A worker in a thread: takes, paints, finishes. `answer` may be replaced.

    holding: keeps it from taking; held: says that it has noticed.
    """

    def __init__(
        self,
        source: JobSource,
        digests: tuple[str, ...],
        lanes: tuple[Lane, ...] = tuple(Lane),
        warm: tuple[str, ...] | None = None,
    ) -> None:
        self.source = source
        self.answer: Callable[[GenerateJob], JobOutcome] = paint
        self.holding = threading.Event()
        self.held = False
        self.done: list[Delivery] = []
        self._beat = WorkerBeat("painter", digests, digests if warm is None else warm, lanes, "cpu", ready=True)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Painter":
        self.source.beat(self._beat)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self.source.beat(self._beat)
            self.held = self.holding.is_set()
            if self.held:
                time.sleep(0.01)
                continue
            for delivery in self.source.take(self._beat.lanes, max_jobs=8, wait_ms=20):
                self.source.finish(delivery, self.answer(delivery.job))
                self.done.append(delivery)


def failing(code: str, reason: str) -> Callable[[GenerateJob], JobOutcome]:
    """An answer that gives every job up."""
    return lambda _: JobFailure(code, reason)


_documents = dict[AppConfig, dict[str, Any]]()


def quickly_created(config: AppConfig, submitter: JobSubmitter, shelf: Shelf) -> FastAPI:
    """`create_app`; but the OpenAPI document, which takes as long as all else, is an earlier app's of that config."""
    app = create_app(config, submitter, shelf)
    if config not in _documents:
        _documents[config] = app.openapi()
    # As FastAPI's handbook has it replaced.
    app.openapi = lambda: _documents[config]  # type: ignore[method-assign]
    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """The app under uvicorn on a port of its own; a client that knows where."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", lifespan="on", ws="none", server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=20, trust_env=False, verify=NO_TLS) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
    assert not thread.is_alive()


def until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)
