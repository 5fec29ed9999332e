"""Bodies of JSON: cut at the limit while they stream, refused in time and in words, by whomever they are sent."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app import json_bodies
from app.access.keys import Scope
from app.json_bodies import MOST_BYTES
from tests.app.conftest import MakeWeb, Web
from tests.app.keyed import bearer, keyed, make_key

TAKE_JSON = ["/v1/jobs", "/v1/datasets", "/v1/edits", "/v1/directions"]
JSON = {"Content-Type": "application/json"}


def refused(reply: httpx.Response, slug: str, status: int) -> dict[str, object]:
    document: dict[str, object] = reply.json()
    assert (reply.status_code, document["type"]) == (status, f"/problems/{slug}"), document
    assert reply.headers["Content-Type"] == "application/problem+json"
    return document


def test_these_are_all_that_take_json_and_each_tells_its_limits(web: Web) -> None:
    paths = web.client.get("/openapi.json").json()["paths"]
    operations = {
        path: operation
        for path, item in paths.items()
        for operation in item.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert sorted(operations) == sorted(TAKE_JSON)
    for path, operation in operations.items():
        assert {"408", "413"} <= set(operation["responses"]), path


def test_a_body_without_an_end_is_cut_off_at_the_limit(web: Web) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * MOST_BYTES:
            sent += 64 * 1024
            yield b" " * 64 * 1024

    for path in TAKE_JSON:
        sent = 0
        refused(web.client.post(path, content=endless(), headers=JSON), "upload-too-big", 413)
        assert sent < 32 * MOST_BYTES, "the connection was closed; what went beyond the limit lay in buffers"
    assert web.client.get("/livez").status_code == 200


def test_a_declared_length_over_the_limit_is_refused_unread(web: Web) -> None:
    for path in TAKE_JSON:
        with begun(web, path, 10 * 2**30) as raw:
            assert raw.recv(100).startswith(b"HTTP/1.1 413 "), path


@pytest.mark.parametrize("path", TAKE_JSON[2:])
def test_a_body_that_trickles_is_refused_in_time(web: Web, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_bodies, "WITHIN_S", 0.5)
    with begun(web, path, 1000) as raw:
        raw.setblocking(False)
        began, answer, closed = time.monotonic(), b"", False
        while not closed and time.monotonic() - began < 5:
            try:
                raw.send(b" ")
                time.sleep(0.05)
                came = raw.recv(4000)
            except BlockingIOError:
                continue
            except ConnectionError:
                came = b""
            answer, closed = answer + came, not came
    assert closed
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"/problems/upload-too-slow" in answer
    assert time.monotonic() - began >= 0.5


def test_the_limit_is_of_the_whole_body_and_says_how_much(web: Web) -> None:
    most = b'{"kind": "generate", "seed": 7}'.ljust(MOST_BYTES)
    assert web.client.post("/v1/jobs", content=most, headers=JSON).status_code == 202
    problem = refused(web.client.post("/v1/jobs", content=most + b" ", headers=JSON), "upload-too-big", 413)
    assert problem["limit"] == MOST_BYTES


def test_whoever_may_not_send_it_is_refused_as_early(make_web: MakeWeb, tmp_path: Path) -> None:
    web = make_web(keyed(tmp_path))
    reader = bearer(make_key(tmp_path, Scope.READ))
    too_much = b" " * (MOST_BYTES + 1)
    assert web.client.post("/v1/jobs", content=too_much, headers=JSON).status_code == 401
    assert web.client.post("/v1/jobs", content=too_much, headers=JSON | reader).status_code == 413


def test_what_is_no_json_is_told_so(web: Web) -> None:
    for body in (b"\xff\xfe\xff", b"\xff", b"[" * 100_000, b"{", b'"\\ud800"', b"nul"):
        refused(web.client.post("/v1/jobs", content=body, headers=JSON), "invalid-parameter", 422)


def begun(web: Web, path: str, length: int) -> socket.socket:
    """A connection on which the head of a request has been sent, and none of its body."""
    raw = socket.create_connection((web.client.base_url.host, web.client.base_url.port), timeout=5)
    raw.sendall(
        f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n".encode()
    )
    return raw
