"""Fifty photos at once, and a face meanwhile: all end in a picture or a polite refusal.

That memory comes back is seen of processes of their own: tests/personne/test_crowd_memory.py.
"""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from jobs.contract import Lane
from jobs.queue import DEFAULT_POLICY
from models.catalogue import Catalogue, find_models
from tests.app.translating import CONFIG, TRANSLATIONS, Studio, photo, studio
from tests.plain_http import NO_TLS
from tests.tiny_model import TINY

CROWD = 50


@pytest.fixture(scope="module")
def both(translator_store: Path, tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The translator and the generator."""
    nothing = tmp_path_factory.mktemp("nothing-bundled")
    found = [*find_models(translator_store, nothing), *find_models(tiny_store, nothing)]
    return Catalogue({entry.manifest.name: entry for entry in found})


@pytest.fixture(params=["memory", "redis"])
def crowded(request: pytest.FixtureRequest, both: Catalogue) -> Iterator[Studio]:
    queue = request.getfixturevalue("redis_url") if request.param == "redis" else "memory"
    policy = replace(DEFAULT_POLICY, lane_caps={**DEFAULT_POLICY.lane_caps, Lane.SLOW: 12})
    config = replace(CONFIG, default_model=TINY, upload_room_bytes=8_000_000)
    with studio(both, queue, config, policy, tile_side=512) as running:
        yield running


def test_fifty_at_once(crowded: Studio) -> None:
    body = photo(400, 500, "PNG")

    def send(_: int) -> httpx.Response:
        with httpx.Client(base_url=crowded.client.base_url, trust_env=False, verify=NO_TLS, timeout=120) as client:
            return client.post(TRANSLATIONS, content=body)

    with ThreadPoolExecutor(CROWD) as pool:
        replies = list(pool.map(send, range(CROWD)))
    for reply in replies:
        if reply.status_code == 503:
            assert int(reply.headers["Retry-After"]) > 0, reply.text
    assert {reply.text for reply in replies if reply.status_code == 500} == set()
    counts = Counter(reply.status_code for reply in replies)
    assert set(counts) <= {200, 503}
    assert counts[200] >= 12, "what the lane holds is done"


def test_a_face_comes_meanwhile(crowded: Studio) -> None:
    crowded.client.get("/face")
    large = crowded.post(photo(2000, 2000), prefer="respond-async").headers["Location"]
    while crowded.state(large)["state"] == "waiting":
        time.sleep(0.05)
    took = []
    while crowded.state(large)["state"] == "running" and len(took) < 10:
        began = time.monotonic()
        assert crowded.client.get("/face").status_code == 200
        took.append(time.monotonic() - began)
    assert took, "it was over too soon to see"
    assert max(took) < 5
    crowded.client.delete(large)
