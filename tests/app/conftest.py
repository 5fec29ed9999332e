"""A web with a memory queue and a painter behind it."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.config import AppConfig
from jobs.memory_queue import MemoryQueue
from jobs.queue import DEFAULT_POLICY, JobSource, JobSubmitter, QueuePolicy
from jobs.redis_queue import RedisSubmitter
from models.catalogue import Catalogue, Shelf, find_models
from models.manifest import GeneratorManifest, TranslatorManifest
from tests.app.service import Painter, catalogue, manifest, quickly_created, serving, until

NO_POOL = AppConfig(ready_faces=0, request_timeout_s=5.0)
Manifest = GeneratorManifest | TranslatorManifest
MakeWeb = Callable[..., "Web"]


def submitter_and_source(policy: QueuePolicy) -> tuple[JobSubmitter, JobSource]:
    """Both ends of a memory queue."""
    queue = MemoryQueue(policy)
    return queue.submitter, queue.source


def digests_of(manifests: tuple[Manifest, ...]) -> tuple[str, ...]:
    return tuple(manifest.digest for manifest in manifests)


@dataclass
class Web:
    """A running web: its client, and the painter behind its queue."""

    client: httpx.Client
    painter: Painter
    source: JobSource

    def metric(self, name: str) -> float:
        """A figure of /metrics, by name and labels as they are written there."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.client.get("/metrics").text, re.MULTILINE)
        assert found, name
        return float(found[1])

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts, the painter takes nothing more."""
        self.painter.holding.set()
        until(lambda: self.painter.held)
        try:
            yield
        finally:
            self.painter.holding.clear()


@pytest.fixture
def make_web() -> Iterator[MakeWeb]:
    """Build webs; all are stopped after the test. working: whether the painter works (else the test enters it)."""
    with ExitStack() as stack:

        def make(
            config: AppConfig = NO_POOL,
            *,
            policy: QueuePolicy = DEFAULT_POLICY,
            models: tuple[Manifest, ...] = (manifest(),),
            served: tuple[Manifest, ...] | None = None,
            warm: tuple[Manifest, ...] | None = None,
            shelf: Shelf | None = None,
            working: bool = True,
        ) -> Web:
            submitter, source = submitter_and_source(policy)
            served = models if served is None else served
            opened = served if warm is None else warm
            painter = Painter(source, digests_of(served), warm=digests_of(opened))
            if working:
                stack.enter_context(painter)
            client = stack.enter_context(serving(quickly_created(config, submitter, shelf or catalogue(*models))))
            return Web(client, painter, source)

        yield make


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    """A web without a pool, so that each picture is a job that the test can see."""
    return make_web()


@pytest.fixture
def silent_web() -> Iterator[Web]:
    """A web whose Redis takes connections and never says a word, as behind a half-open link."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        submitter = RedisSubmitter(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", DEFAULT_POLICY)
        _, unused = submitter_and_source(DEFAULT_POLICY)
        config = AppConfig(ready_faces=4)
        with serving(quickly_created(config, submitter, catalogue(manifest()))) as client:
            yield Web(client, Painter(unused, ()), unused)


@pytest.fixture(scope="session")
def styles(translator_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The tiny translator, and no other model."""
    return find_models(translator_store, bundled=tmp_path_factory.mktemp("nothing-bundled"))
