"""Limits by cost: what is counted, what is told, and that a Redis that is away refuses nobody."""

import asyncio
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.cost import Prices, units
from app.access.keys import Scope
from app.access.limits import AGAIN_AFTER_S, PATIENCE_S, Limits, wait_for, weighed
from app.access.visitor import VISITOR, Visitor
from app.config import AccessConfig, AppConfig
from app.errors import RateLimited, TooCostly
from app.ordering import Ordering, Wishes
from jobs.contract import PHOTO, PictureFormat, TranslateJob
from tests.app.conftest import NO_POOL, MakeWeb
from tests.app.keyed import bearer, keyed, make_key
from tests.app.service import catalogue, manifest, until
from tests.photo_files import picture, saved
from tests.redis_server import RedisServer

A_FACE = "/v1/faces/7.png"


def limited(units_per_minute: int, **access: object) -> AppConfig:
    return replace(NO_POOL, access=AccessConfig(units_per_minute=units_per_minute, **access))  # type: ignore[arg-type]


def test_work_is_counted_told_and_refused(make_web: MakeWeb) -> None:
    client = make_web(limited(3)).client
    replies = [client.get(A_FACE) for _ in range(5)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 429, 429]
    assert replies[0].headers["RateLimit-Policy"] == '"minute";q=3;w=60;qu="units"'
    assert replies[0].headers["RateLimit"].startswith('"minute";r=2;t=')
    refused = replies[3]
    assert refused.headers["RateLimit"].startswith('"minute";r=0;t=')
    assert 1 <= int(refused.headers["Retry-After"]) <= 120
    problem = refused.json()
    assert (problem["type"], problem["limit"], problem["cost"]) == ("/problems/rate-limited", 3, 1)
    assert problem["retry_after_s"] == int(refused.headers["Retry-After"])
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_what_makes_nothing_costs_nothing(make_web: MakeWeb) -> None:
    client = make_web(limited(1)).client
    for address in ("/v1/models", "/v1/faces?count=5", "/livez", "/readyz", "/metrics", "/docs"):
        reply = client.get(address)
        assert reply.status_code == 200, address
        assert "RateLimit" not in reply.headers
    assert client.get(A_FACE).status_code == 200
    etag = client.get(A_FACE)
    assert etag.status_code == 429
    assert client.get("/readyz").status_code == 200


def test_a_face_out_of_the_pool_costs_as_much_and_a_refused_one_stays_there(make_web: MakeWeb) -> None:
    web = make_web(replace(limited(2), ready_faces=4))
    until(lambda: web.metric("personne_ready_faces") == 4)
    with web.held():
        assert [web.client.get("/face").status_code for _ in range(4)] == [200, 200, 429, 429]
        assert web.metric("personne_ready_faces") == 2
    page = web.client.get("/")
    assert page.status_code == 429
    assert "RateLimit" in page.headers


def test_a_request_beyond_the_whole_limit_is_told_so(make_web: MakeWeb) -> None:
    reply = make_web(limited(15), models=(manifest(resolution=1024),)).client.get("/v1/faces/7.png")
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/too-costly")
    assert (reply.json()["cost"], reply.json()["limit"]) == (16, 15)
    assert "Retry-After" not in reply.headers


def test_what_is_asked_again_with_its_key_is_paid_once(make_web: MakeWeb) -> None:
    client = make_web(limited(2)).client
    ask = partial(client.post, "/v1/jobs", json={"kind": "generate", "seed": 7})
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: ask(headers={"Idempotency-Key": "one"}), range(16)))
    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.headers["Location"] for reply in replies}) == 1
    assert sum("RateLimit" in reply.headers for reply in replies) == 1, "fifteen others cost nothing"
    assert ask(headers={"Idempotency-Key": "two"}).headers["RateLimit"].startswith('"minute";r=0;')
    assert ask(headers={"Idempotency-Key": "three"}).status_code == 429
    assert ask(headers={"Idempotency-Key": "two"}).status_code == 202


def test_refused_units_are_counted_by_the_limit_that_refused_them(make_web: MakeWeb) -> None:
    web = make_web(limited(15), models=(manifest(resolution=1024), manifest(name="small", sha256="b" * 64)))
    web.client.get("/v1/faces/7.png")
    for _ in range(17):
        web.client.get("/v1/faces/7.png?model=small")
    assert web.metric('personne_refused_units_total{reason="too-costly"}') == 16
    assert web.metric('personne_refused_units_total{reason="minute"}') == 2
    assert web.metric('personne_refused_units_total{reason="day"}') == 0


def test_each_key_has_limits_of_its_own(make_web: MakeWeb, tmp_path: Path) -> None:
    client = make_web(keyed(tmp_path, units_per_minute=1)).client
    plain, quick, spent = (
        make_key(tmp_path, Scope.GENERATE, **limits)
        for limits in ({}, {"per_minute": 3}, {"per_minute": 0, "per_day": 2})
    )
    codes = {
        name: [client.get(A_FACE, headers=bearer(key)).status_code for _ in range(4)]
        for name, key in {"plain": plain, "quick": quick, "spent": spent}.items()
    }
    assert codes == {"plain": [200, 429, 429, 429], "quick": [200, 200, 200, 429], "spent": [200, 200, 429, 429]}
    told = client.get(A_FACE, headers=bearer(spent))
    assert told.headers["RateLimit-Policy"] == '"day";q=2;w=86400;qu="units"'


def test_an_uploaded_photo_is_counted_by_its_pixels(make_web: MakeWeb) -> None:
    client = make_web(limited(1)).client
    photo = saved(picture(), "PNG")
    assert client.post("/v1/verify", content=photo).status_code == 200
    assert client.post("/v1/verify", content=photo).status_code == 429


def test_prices() -> None:
    ordering = Ordering(NO_POOL, catalogue(manifest(), manifest("large", 1024, "b" * 64)))
    prices = Prices(ordering)
    assert prices.of(ordering.face(7, Wishes(), PictureFormat.PNG)) == 1
    small_of_large = ordering.face(7, Wishes(model="large", size=16), PictureFormat.PNG)
    assert prices.of(small_of_large) == 16, "a model computes all its pixels, whatever is asked"
    photo = {PHOTO: saved(picture(), "PNG")}
    job = TranslateJob("a" * 16, 1.0, PictureFormat.PNG)
    assert prices.of(job, photo) == units(60 * 40, 1)
    assert units(4000 * 3000, 1) == 184
    assert units(1, 1 / 16) == 1


@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(0.1, 60), st.integers(0, 999))
def test_after_the_wait_there_is_enough_and_a_little_before_there_is_not(
    before: int, now: int, passes_s: float, most: int
) -> None:
    window = (before, passes_s if before else 0.0, now, 60 + passes_s)
    wait = wait_for(window, 60, most)

    def used_after(seconds: float) -> float:
        if seconds <= passes_s:
            return before * (passes_s - seconds) / 60 + now
        return now * max(0.0, 60 - (seconds - passes_s)) / 60

    assert weighed(window, 60) == pytest.approx(used_after(0))
    assert used_after(wait) <= most + 1e-6
    assert wait == 0 or used_after(wait - 1.001) > most - 1e-6


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


def test_two_webs_count_together(make_web: MakeWeb, redis_url: str) -> None:
    first, second = (make_web(limited(3, limits_redis=redis_url)).client for _ in range(2))
    codes = [client.get(A_FACE).status_code for client in (first, second, first, second, first)]
    assert codes == [200, 200, 200, 429, 429]


def test_redis_that_dies_turns_nothing_into_an_error(make_web: MakeWeb, own_redis: RedisServer) -> None:
    client = make_web(limited(3, limits_redis=own_redis.url)).client
    assert [client.get(A_FACE).status_code for _ in range(3)] == [200] * 3
    assert client.get(A_FACE).status_code == 429
    own_redis.kill()
    began = time.monotonic()
    codes = [client.get(A_FACE).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429], "counted in the process, from nothing"
    assert time.monotonic() - began < 2
    own_redis.start()
    time.sleep(AGAIN_AFTER_S)
    assert client.get(A_FACE).status_code == 429, "Redis counts again, and remembers"


def test_a_redis_that_says_nothing_costs_a_quarter_of_a_second_once(make_web: MakeWeb) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        client = make_web(limited(1000, limits_redis=url)).client
        took: list[float] = []
        for _ in range(10):
            began = time.monotonic()
            assert client.get(A_FACE).status_code == 200
            took.append(time.monotonic() - began)
    assert PATIENCE_S <= took[0] < 1.5
    assert median(took[1:]) < PATIENCE_S, "most did not wait for it"


def test_nobody_pays_for_faces_made_ahead_and_each_address_for_itself() -> None:
    async def scenario() -> None:
        limits = Limits(1)
        for _ in range(3):
            await limits.pay(1)
        VISITOR.set(Visitor("address:a", scopes=None))
        await limits.pay(1)
        with pytest.raises(RateLimited):
            await limits.pay(1)
        with pytest.raises(TooCostly):
            await limits.pay(2)
        VISITOR.set(Visitor("address:b", scopes=None))
        await limits.pay(1)
        await limits.close()

    asyncio.run(scenario())
