"""A web that inverts for tests: the tiny generator, its inverters and the bundled locator behind a real worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.config import AppConfig
from models.catalogue import find_models
from models.manifest import GeneratorManifest
from tests.app.service import quickly_created, serving, until
from tests.app.translating import ends, working
from tests.tiny_model import TINY

INVERSIONS = "/v1/inversions"


@dataclass
class Finder:
    """A running web with its worker."""

    client: httpx.Client
    manifest: GeneratorManifest

    def post(self, body: bytes, query: str = "", **headers: str) -> httpx.Response:
        """The photo as the body. headers: with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"{INVERSIONS}{query}", content=body, headers=named)

    def until_over(self, address: str) -> dict[str, Any]:
        """What a job's address says in the end."""
        until(lambda: self.client.get(address).json()["state"] not in ("waiting", "running"), timeout_s=60)
        document: dict[str, Any] = self.client.get(address).json()
        return document


@contextmanager
def finder(store: Path, queue: str = "memory") -> Iterator[Finder]:
    """While this lasts, latents are found. queue: `memory` or an address."""
    shelf = find_models(store, bundled=store / "none")
    submitter, source = ends(queue)
    web = quickly_created(AppConfig(default_model=TINY, ready_faces=0), submitter, shelf)
    with working(shelf, source), serving(web) as client:
        until(lambda: client.get("/readyz").status_code == 200, timeout_s=60)
        yield Finder(client, shelf.named(TINY).generator)
