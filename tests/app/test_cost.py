"""What a request costs, as its answer tells it: by what is computed, and not by what is asked of the picture."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
import redis

from app import shedding
from app.web import create_app
from jobs.contract import Lane
from jobs.queue import DEFAULT_POLICY
from jobs.redis_queue import RedisSource, RedisSubmitter
from models.manifest import GraphSpec
from personne.settings_access import DEFAULT_UNITS
from tests.app.conftest import MakeWeb
from tests.app.service import Painter, catalogue, failing, manifest, serving, until
from tests.app.test_limits import limited
from tests.photo_files import picture, saved

PLENTY = 1_000_000
GRAPH = GraphSpec(file="graph.onnx", sha256="c" * 64, bytes=1000)
LATER = {"Prefer": "respond-async"}
LARGE = saved(picture(size=(1600, 1200)), "PNG")
LARGE_UNITS, READING = 30, 2


def client_of(make_web: MakeWeb, units_per_minute: int, resolution: int = 64) -> httpx.Client:
    """Of a web whose worker takes jobs, and does none."""
    graphs: dict[str, Any] = {"inverters": {"encoder": GRAPH, "gradient": GRAPH}}
    web = make_web(limited(units_per_minute), models=(manifest(resolution=resolution, **graphs),))
    web.painter.answer = failing("job-failed", "Nobody looks at it.")
    return web.client


def cost(reply: httpx.Response) -> int:
    """Of the first request of a visitor."""
    assert reply.status_code == 202, reply.text
    return PLENTY - left(reply)


def left(reply: httpx.Response) -> int:
    """Units of the visitor's."""
    found = re.search(r";r=(\d+);", reply.headers["RateLimit"])
    assert found, reply.headers
    return int(found[1])


@pytest.mark.parametrize("wish", [{}, {"paste": True}, {"size": 16}])
def test_an_edited_photo_costs_as_much_as_it_has_pixels(make_web: MakeWeb, wish: dict[str, Any]) -> None:
    client = client_of(make_web, PLENTY)
    form = {"photo": LARGE, "edit": (None, json.dumps({"method": "encoder", **wish}))}
    assert cost(client.post("/v1/edits", files=form, headers=LATER)) == LARGE_UNITS + READING


@pytest.mark.parametrize(
    ("method", "resolution", "units"),
    [("encoder", 64, 15), ("hybrid", 64, 21), ("descent", 64, 40), ("hybrid", 256, 116)],
)
def test_an_inversion_costs_as_much_as_it_descends(make_web: MakeWeb, method: str, resolution: int, units: int) -> None:
    client = client_of(make_web, PLENTY, resolution)
    reply = client.post(f"/v1/inversions?method={method}", content=LARGE, headers=LATER)
    assert cost(reply) == units + READING


def test_unless_it_is_set_the_limit_lets_a_visitor_invert_a_few_photos_a_minute(make_web: MakeWeb) -> None:
    client = client_of(make_web, DEFAULT_UNITS)
    codes = [client.post("/v1/inversions", content=LARGE, headers=LATER).status_code for _ in range(5)]
    assert codes == [202] * 5


def test_who_would_wait_too_long_is_refused_unpaid(make_web: MakeWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shedding, "BURST", 2)
    web = make_web(limited(10))
    with web.held(), ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(web.client.get, f"/v1/faces/{seed}.png") for seed in range(2)]
        until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 2)
        for address in ("/face", "/", "/", "/"):
            refused = web.client.get(address)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert "RateLimit" not in refused.headers
        web.painter.holding.clear()
        assert [future.result().status_code for future in waiting] == [200, 200]
    until(lambda: web.client.get("/face").status_code == 200)
    assert left(web.client.get("/face")) == 10 - 4, "the four that were made"


@pytest.mark.parametrize("counted_in", ["process", "redis"])
def test_units_of_what_the_queue_has_no_room_for_are_given_back(
    make_web: MakeWeb, request: pytest.FixtureRequest, counted_in: str
) -> None:
    limits = {"limits_redis": request.getfixturevalue("redis_url")} if counted_in == "redis" else {}
    policy = replace(DEFAULT_POLICY, lane_caps={**DEFAULT_POLICY.lane_caps, Lane.QUICK: 1})
    web = make_web(limited(10, **limits), policy=policy)
    with web.held():
        assert left(web.client.post("/v1/jobs", json={"kind": "generate"})) == 9
        for _ in range(12):
            full = web.client.post("/v1/jobs", json={"kind": "generate"})
            assert (full.json()["type"], left(full)) == ("/problems/queue-full", 9)
        assert web.client.get("/face").json()["type"] == "/problems/queue-full"
    until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 0)
    assert left(web.client.get("/face")) == 8


def test_units_of_what_a_queue_out_of_order_does_not_take_are_given_back(redis_url: str) -> None:
    models = catalogue(manifest())
    source = RedisSource(redis_url, "painter", DEFAULT_POLICY)
    with serving(create_app(limited(10), RedisSubmitter(redis_url), models)) as client:
        with Painter(source, (manifest().digest,)):
            until(lambda: client.get("/readyz").status_code == 200)
            assert left(client.get("/face")) == 9
        with redis.Redis.from_url(redis_url) as server:
            server.config_set("maxmemory", 1)
            try:
                refused = client.post("/v1/jobs", json={"kind": "generate"})
            finally:
                server.config_set("maxmemory", 0)
    source.close()
    assert (refused.json()["type"], left(refused)) == ("/problems/queue-unavailable", 9)
