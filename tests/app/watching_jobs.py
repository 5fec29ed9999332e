"""A web whose only worker is the test itself, so that a job does what the test says, when it says so."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.config import AppConfig
from jobs.contract import Delivery, Lane, WorkerBeat
from jobs.queue import DEFAULT_POLICY, JobSource, QueuePolicy
from models.manifest import GeneratorManifest, TranslatorManifest
from tests.app.service import catalogue, manifest, quickly_created, serving
from tests.app.translating import ends
from tests.jobs.conftest import face

NO_POOL = AppConfig(ready_faces=0)
Manifest = GeneratorManifest | TranslatorManifest
SUBMIT = "/submitted-by-the-test"


@dataclass
class Event:
    """One event as it came. id: None where it had none."""

    name: str
    id: str | None
    data: dict[str, Any]


@dataclass
class Workshop:
    """The web's client, and the worker's end of its queue."""

    client: httpx.Client
    source: JobSource

    def submit(self) -> str:
        """A new job's address."""
        return f"/v1/jobs/{self.client.post(SUBMIT).text}"

    def take(self, lane: Lane = Lane.SLOW) -> Delivery:
        (delivery,) = self.source.take([lane], max_jobs=1, wait_ms=3000)
        return delivery

    @contextmanager
    def stream(self, address: str, after: str | None = None) -> Iterator[Iterator[Event]]:
        """A job's events, as they come."""
        headers = {} if after is None else {"Last-Event-ID": after}
        with self.client.stream("GET", f"{address}/events", headers=headers) as reply:
            assert reply.status_code == 200, reply.read()
            assert reply.headers["Content-Type"].startswith("text/event-stream")
            yield events_in(reply.iter_lines())


@contextmanager
def workshop(
    queue: str,
    config: AppConfig = NO_POOL,
    policy: QueuePolicy = DEFAULT_POLICY,
    models: tuple[Manifest, ...] = (manifest(),),
) -> Iterator[Workshop]:
    """A web with these models, on `memory` or the Redis of that address."""
    submitter, source = ends(queue, policy)
    app = quickly_created(config, submitter, catalogue(*models))
    digests = tuple(model.digest for model in models)

    async def submit(_: Request) -> PlainTextResponse:
        return PlainTextResponse(await submitter.submit(face(), lane=Lane.SLOW, timeout_ms=60_000))

    app.router.routes.insert(0, Route(SUBMIT, submit, methods=["POST"]))
    with serving(app) as client, _living(source, digests):
        yield Workshop(client, source)
    source.close()


@contextmanager
def _living(source: JobSource, digests: tuple[str, ...]) -> Iterator[None]:
    """While this lasts, a worker is there for these models. It takes nothing of itself."""
    beat = WorkerBeat("w1", digests, digests, tuple(Lane), "cpu", ready=True)
    over = threading.Event()

    def keep_beating() -> None:
        while not over.is_set():
            source.beat(beat)
            over.wait(0.5)

    thread = threading.Thread(target=keep_beating)
    source.beat(beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def events_in(lines: Iterator[str]) -> Iterator[Event]:
    """What a browser's EventSource makes of these lines; comments and `retry` are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        if line == "" and "data" in fields:
            yield Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":") and line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            fields = {}
