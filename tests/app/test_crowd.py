"""Fifty photos at once, and a face meanwhile: all end in a picture or a polite refusal, and memory comes back."""

import gc
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
from tests.tiny_model import TINY
from worker.memory import give_back

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


def resident_mb() -> float:
    gc.collect()
    # As a worker does when it is idle: this process has a thousand tests behind it, and holes in its heaps.
    give_back()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
def test_fifty_at_once(crowded: Studio) -> None:
    body = photo(400, 500, "PNG")

    def send(_: int) -> httpx.Response:
        with httpx.Client(base_url=crowded.client.base_url, trust_env=False, timeout=120) as client:
            return client.post(TRANSLATIONS, content=body)

    def round_of_fifty() -> Counter[int]:
        with ThreadPoolExecutor(CROWD) as pool:
            replies = list(pool.map(send, range(CROWD)))
        for reply in replies:
            if reply.status_code == 503:
                assert int(reply.headers["Retry-After"]) > 0, reply.text
        assert {reply.text for reply in replies if reply.status_code == 500} == set()
        return Counter(reply.status_code for reply in replies)

    first = round_of_fifty()
    assert set(first) <= {200, 503}
    assert first[200] >= 12, "what the lane holds is done"
    settled = resident_mb()
    for _ in range(2):
        assert set(round_of_fifty()) <= {200, 503}
    assert resident_mb() - settled < 60


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
