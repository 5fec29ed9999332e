"""Fifty photos at once, of a service as somebody runs it: what they took is there again for the next fifty."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from benchmarks.stage import resident_mb
from tests.app.translating import TRANSLATIONS, photo
from tests.personne.processes import ADDRESS, Process, personne, ready
from tests.plain_http import NO_TLS

CROWD = 50
MORE_MB = 10.0
"""What two rounds leave where nothing is forgotten is more."""
RESULT_TTL_S = 2
IDLE_S = 6.0
"""By then results have expired, and a worker that has nothing to do has given back what it held."""
WITHIN_S = 30.0


@pytest.fixture(params=["serve", "web and worker"])
def crowded(request: pytest.FixtureRequest, served: dict[str, str], translator_store: Path) -> Iterator[list[Process]]:
    """The processes of a service whose slow lane holds a dozen; the first is the web."""
    settings = served | {"PERSONNE_STORE": str(translator_store), "PERSONNE_CAP_SLOW": "12"}
    settings["PERSONNE_RESULT_TTL_S"] = str(RESULT_TTL_S)
    web = ("--port", "0", "--ready-faces", "0")
    with ExitStack() as stack:
        if request.param == "serve":
            yield [stack.enter_context(personne("serve", *web, env=settings))]
            return
        queue = ("--queue", request.getfixturevalue("redis_url"))
        yield [
            stack.enter_context(personne("web", *queue, *web, env=settings)),
            stack.enter_context(personne("worker", *queue, "--threads", "1", env=settings)),
        ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
def test_memory_comes_back_after_a_crowd(crowded: list[Process]) -> None:
    address = crowded[0].wait_for(ADDRESS)[1]
    ready(address)
    body = photo(500, 600, "PNG")

    def send(_: int) -> int:
        return httpx.post(f"{address}{TRANSLATIONS}", content=body, timeout=120, verify=NO_TLS).status_code

    def round_of_fifty() -> Counter[int]:
        with ThreadPoolExecutor(CROWD) as pool:
            return Counter(pool.map(send, range(CROWD)))

    def resident() -> list[float]:
        return [resident_mb(process.popen.pid) for process in crowded]

    first = round_of_fifty()
    assert set(first) <= {200, 503}
    assert first[200] >= 12, "what the lane holds is done"
    time.sleep(IDLE_S)
    settled = resident()
    for _ in range(2):
        assert set(round_of_fifty()) <= {200, 503}
    ends = time.monotonic() + WITHIN_S
    while (grown := max(now - before for now, before in zip(resident(), settled, strict=True))) > MORE_MB:
        assert time.monotonic() < ends, f"{grown:.0f} MB more than after the first fifty: {settled} {resident()}"
        time.sleep(0.2)
