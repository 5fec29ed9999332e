"""Idempotency keys over a real uvicorn, on both queues; and clients that leave."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from starlette.requests import Request

from app.config import AppConfig
from app.errors import IdempotencyKeyMalformed, WebhookRefused
from app.idempotency import once_of
from app.webhooks.asking import WebhookGate
from jobs.contract import JobResult, Lane
from jobs.queue import DEFAULT_POLICY
from tests.app.service import until
from tests.app.test_uploads import STYLE
from tests.app.translating import photo
from tests.app.watching_jobs import Workshop, workshop

ADDRESS = "/v1/translations?style=blots"
CONFIG = AppConfig(default_model="blots", ready_faces=0)
PHOTO = photo(64, 80, "PNG")
PAINTED = JobResult(b"painted", "image/png")


@pytest.fixture(params=["memory", "redis"])
def shop(request: pytest.FixtureRequest) -> Iterator[Workshop]:
    queue = request.getfixturevalue("redis_url") if request.param == "redis" else "memory"
    with workshop(queue, CONFIG, replace(DEFAULT_POLICY, result_ttl_s=2.0), models=(STYLE,)) as shop:
        yield shop


def post(shop: Workshop, key: str | None = "a key", body: bytes = PHOTO, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    keyed = {} if key is None else {"Idempotency-Key": f'"{key.replace(" ", "-")}"'}
    return shop.client.post(ADDRESS, content=body, headers={"Prefer": "respond-async", **keyed, **named})


def test_a_hundred_equal_requests_at_once_make_one_job(shop: Workshop) -> None:
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: post(shop), range(100)))
    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.headers["Location"] for reply in replies}) == 1
    shop.take(Lane.SLOW)
    assert shop.source.take([Lane.SLOW], max_jobs=8, wait_ms=100) == []


def test_a_form_and_a_body_with_the_same_photo_are_equal(shop: Workshop) -> None:
    first = post(shop)
    form = shop.client.post(
        ADDRESS, files={"photo": PHOTO}, headers={"Idempotency-Key": "a-key", "Prefer": "respond-async"}
    )
    assert form.headers["Location"] == first.headers["Location"]


def test_the_same_key_with_another_payload_is_refused(shop: Workshop) -> None:
    post(shop)
    for refused in (
        post(shop, body=photo(64, 80, "PNG", seed=1)),
        shop.client.post(f"{ADDRESS}&strength=0.5", content=PHOTO, headers={"Idempotency-Key": "a-key"}),
    ):
        assert refused.status_code == 422
        assert refused.json()["type"] == "/problems/idempotency-key-reused"
    assert post(shop, key=None).status_code == 202, "without a key every request is a new one"


def test_a_repeat_gets_the_result_and_later_only_the_address(shop: Workshop) -> None:
    first = post(shop)
    shop.source.finish(shop.take(), PAINTED)
    assert post(shop).json()["state"] == "done"
    again = shop.client.post(ADDRESS, content=PHOTO, headers={"Idempotency-Key": "a-key"})
    assert (again.status_code, again.content) == (200, b"painted")
    time.sleep(2.5)
    for late in (post(shop), shop.client.post(ADDRESS, content=PHOTO, headers={"Idempotency-Key": "a-key"})):
        assert (late.status_code, late.headers["Location"]) == (202, first.headers["Location"])
        assert late.json()["state"] == "expired"
    assert shop.client.get(first.headers["Location"]).status_code == 404


def test_deleting_a_job_frees_its_key(shop: Workshop) -> None:
    first = post(shop).headers["Location"]
    assert shop.client.delete(first).status_code == 204
    assert post(shop).headers["Location"] != first


def test_one_clients_key_is_not_anothers(shop: Workshop) -> None:
    mine = post(shop, Authorization="Bearer psn_mine")
    theirs = post(shop, Authorization="Bearer psn_theirs")
    assert mine.headers["Location"] != theirs.headers["Location"]
    assert post(shop, Authorization="Bearer psn_mine").headers["Location"] == mine.headers["Location"]


def test_who_leaves_has_the_waiting_job_dropped_within_a_second(shop: Workshop) -> None:
    with pytest.raises(httpx.ReadTimeout):
        shop.client.post(ADDRESS, content=PHOTO, timeout=httpx.Timeout(5, read=0.5))
    left = time.monotonic()
    until(lambda: 'personne_queue_depth{lane="slow"} 0.0' in shop.client.get("/metrics").text, timeout_s=5)
    # A second on a machine of its own.
    assert time.monotonic() - left < 4
    assert shop.source.take([Lane.SLOW], max_jobs=1, wait_ms=100) == []


def test_who_leaves_with_a_key_may_come_again(shop: Workshop) -> None:
    keyed = {"Idempotency-Key": "come-again"}
    with pytest.raises(httpx.ReadTimeout):
        shop.client.post(ADDRESS, content=PHOTO, headers=keyed, timeout=httpx.Timeout(5, read=0.5))
    time.sleep(0.3)
    shop.source.finish(shop.take(), PAINTED)
    assert shop.client.post(ADDRESS, content=PHOTO, headers=keyed).content == b"painted"


def test_a_webhook_is_taken_only_where_the_operator_allows_it(shop: Workshop) -> None:
    refused = post(shop, Personne_Webhook="https://example.org/told")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/webhooks-off")


@pytest.mark.parametrize(
    "address",
    [
        *("", "ftp://example.org/", "https://", "https://user:word@example.org/", "nonsense", "https://" + "x" * 2000),
        *("https://example..org/", f"https://{'x' * 64}.org/", "https://.org/"),
        *("https://example.org:0/", "https://example.org:65536/", "https://example.org:99999999999999999999/"),
    ],
)
def test_what_is_no_address_to_tell(address: str) -> None:
    scope = {"type": "http", "path": "/", "headers": [(b"personne-webhook", address.encode())]}
    with pytest.raises(WebhookRefused):
        WebhookGate(allowed=True).of(Request(scope))


@pytest.mark.parametrize("header", ["", '""', "two words", "x" * 256, "\u00e9"])
def test_what_is_no_key(header: str) -> None:
    scope = {"type": "http", "path": "/", "headers": [(b"idempotency-key", header.encode("latin-1"))]}
    with pytest.raises(IdempotencyKeyMalformed):
        once_of(Request(scope))


def test_nothing_but_hashes_is_kept_of_it() -> None:
    headers = [(b"idempotency-key", b"somebody@example.org"), (b"authorization", b"Bearer psn_secret")]
    scope = {"type": "http", "method": "POST", "path": "/v1/x", "query_string": b"", "headers": headers}
    scope["server"] = ("here", 80)
    once = once_of(Request(scope), "asked", b"photo")
    assert once is not None
    assert len(once.key) == len(once.fingerprint) == 64
    assert once_of(Request(scope), "askedp", b"hoto") != once, "parts are apart"
