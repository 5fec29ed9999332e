"""What arrives: cut at the limit while it streams, on no disk, refused in time and in words."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from select import select

import httpx
import pytest

from app.admission import UploadRoom
from app.config import AppConfig
from app.errors import UploadsBusy
from jobs.contract import JobResult
from jobs.queue import DEFAULT_POLICY
from models.manifest import GraphSpec, TranslatorManifest
from tests.app.conftest import MakeWeb, Web
from tests.app.service import until
from tests.photo_files import GOOD, REFUSED_BY_HEADER, picture, png, saved
from tests.plain_http import NO_TLS

STYLE = TranslatorManifest(
    name="blots",
    family="cyclegan",
    input_nc=3,
    output_nc=3,
    ngf=4,
    size_multiple=4,
    graphs={"translation": GraphSpec(file="graph.onnx", sha256="b" * 64, bytes=1000)},
    licence="CC0-1.0",
    origin="written for tests",
)
ADDRESS = "/v1/translations?style=blots"
SMALL = AppConfig(default_model="blots", ready_faces=0, max_upload_bytes=100_000, upload_room_bytes=400_000)
PAINTED = JobResult(b"painted", "image/png")


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    return painted(make_web, SMALL)


def painted(make_web: MakeWeb, config: AppConfig) -> Web:
    """A web whose worker looks at no photo."""
    web = make_web(config, models=(STYLE,))
    web.painter.answer = lambda _: PAINTED
    return web


def refused(reply: httpx.Response, slug: str, status: int) -> dict[str, object]:
    document: dict[str, object] = reply.json()
    assert (document["type"], reply.status_code) == (f"/problems/{slug}", status), document
    assert reply.headers["Content-Type"] == "application/problem+json"
    return document


def test_every_good_photo_is_let_in_as_a_body_and_as_a_form(web: Web) -> None:
    for name, make in GOOD.items():
        body = make()
        assert web.client.post(ADDRESS, content=body).content == b"painted", name
        assert web.client.post(ADDRESS, files={"photo": body}).content == b"painted", name


@pytest.mark.parametrize("name", REFUSED_BY_HEADER)
def test_what_is_no_photo_is_refused_with_a_sentence(web: Web, name: str) -> None:
    make, slug = REFUSED_BY_HEADER[name]
    body = make()
    for reply in (web.client.post(ADDRESS, content=body), web.client.post(ADDRESS, files={"photo": ("a.jpg", body)})):
        problem = refused(reply, slug, {"unsupported-photo": 415}.get(slug, 422))
        assert str(problem["detail"]).endswith(".")
    assert web.painter.done == []


@pytest.mark.parametrize("address", [ADDRESS, "/v1/verify"])
def test_no_side_is_longer_than_the_limit(web: Web, address: str) -> None:
    """Few pixels, all in a line, which a translator would fill up to sixty-four lines."""
    for width, height in ((65_501, 1), (1, 65_501)):
        line = png(width, height, 1, 0, bytes((width + 15) // 8 * height))
        problem = refused(web.client.post(address, content=line), "photo-too-long", 422)
        assert problem["limit"] == 65_500
        assert str(problem["detail"]).startswith("No side of a photo may be longer than 65500 pixels")
    assert web.client.post(address, content=png(65_500, 1, 1, 0, bytes(8189))).status_code == 200


def test_a_content_type_of_any_kind_changes_nothing(web: Web) -> None:
    body = saved(picture(), "PNG")
    for kind in ("image/jpeg", "application/x-www-form-urlencoded", "text/html", "nonsense"):
        assert web.client.post(ADDRESS, content=body, headers={"Content-Type": kind}).content == b"painted"


def test_one_byte_too_many(web: Web) -> None:
    body = saved(picture(), "PNG")
    padded = body + bytes(SMALL.max_upload_bytes - len(body))
    assert web.client.post(ADDRESS, content=padded).status_code == 200
    assert web.client.post(ADDRESS, files={"photo": padded}).status_code == 200
    for reply in (
        web.client.post(ADDRESS, content=padded + b"x"),
        web.client.post(ADDRESS, files={"photo": padded + b"x"}),
    ):
        assert refused(reply, "upload-too-big", 413)["limit"] == SMALL.max_upload_bytes


def test_a_body_without_a_length_is_cut_off_at_the_limit(web: Web) -> None:
    host, port = web.client.base_url.host, web.client.base_url.port
    with socket.create_connection((host, port), timeout=5) as raw:
        raw.sendall(f"POST {ADDRESS} HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        sent, chunk = 0, saved(picture(), "PNG")
        # Until an answer is there, which is before there is an end.
        while sent < 100 * SMALL.max_upload_bytes and not select([raw], [], [], 0.001)[0]:
            raw.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            sent, chunk = sent + len(chunk), bytes(10_000)
        answer = raw.recv(4000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"/problems/upload-too-big" in answer
    assert b"connection: close" in answer.lower(), "or else the rest would be taken in, and thrown away, for ever"
    assert SMALL.max_upload_bytes < sent < 50 * SMALL.max_upload_bytes


def test_a_declared_length_over_the_limit_is_refused_before_a_byte_is_read(web: Web) -> None:
    host, port = web.client.base_url.host, web.client.base_url.port
    with socket.create_connection((host, port), timeout=5) as raw:
        head = f"POST {ADDRESS} HTTP/1.1\r\nHost: here\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n"
        raw.sendall(head.encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_nothing_reaches_a_disk(make_web: MakeWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no temporary file can be made, what spools to one falls; uploads do not notice."""
    web = painted(make_web, replace(SMALL, max_upload_bytes=8_000_000, upload_room_bytes=20_000_000))
    monkeypatch.setattr(tempfile, "tempdir", "/there/is/no/such/folder")
    with pytest.raises(FileNotFoundError), tempfile.SpooledTemporaryFile(max_size=1_000_000) as spooled:
        spooled.write(bytes(2_000_000))
    body = saved(picture(), "PNG") + bytes(6_000_000)
    assert web.client.post(ADDRESS, content=body).status_code == 200
    assert web.client.post(ADDRESS, files={"photo": body}).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body", "slug", "status"),
    [
        ("multipart/form-data", b"", "upload-malformed", 400),
        ("multipart/form-data; boundary=line", b"", "upload-malformed", 400),
        ("multipart/form-data; boundary=line", b"no line at all", "upload-malformed", 400),
        ("multipart/form-data; boundary=line", b"--line\r\nContent-Disposition: form-da", "upload-malformed", 400),
        ("multipart/form-data; boundary=line", b"--line--\r\n", "no-photo", 422),
    ],
)
def test_a_form_that_is_none(web: Web, content_type: str, body: bytes, slug: str, status: int) -> None:
    refused(web.client.post(ADDRESS, content=body, headers={"Content-Type": content_type}), slug, status)


def test_a_form_has_the_photo_and_at_most_a_mask(web: Web) -> None:
    body = saved(picture(), "PNG")
    stranger = refused(web.client.post(ADDRESS, files={"picture": body}), "unknown-parameter", 422)
    assert (stranger["unknown"], stranger["known"]) == (["picture"], ["photo", "mask"])
    refused(web.client.post(ADDRESS, files=[("photo", body), ("photo", body)]), "repeated-parameter", 422)
    refused(web.client.post(ADDRESS, files={"photo": body}, data={"strength": "1"}), "unknown-parameter", 422)


def test_the_room_is_shared_and_given_back(make_web: MakeWeb) -> None:
    web = painted(make_web, replace(SMALL, upload_room_bytes=250_000))
    body, go_on = saved(picture(), "PNG"), threading.Event()

    def slow() -> Iterator[bytes]:
        yield body + bytes(90_000 - len(body))
        assert go_on.wait(20)

    replies: list[int] = []

    def send() -> None:
        with httpx.Client(base_url=web.client.base_url, trust_env=False, verify=NO_TLS, timeout=20) as client:
            replies.append(client.post(ADDRESS, content=slow()).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    # Once both are there, 180,000 bytes are taken, and these have no room.
    until(lambda: web.client.post(ADDRESS, content=bytes(99_000)).status_code == 503)
    busy = web.client.post(ADDRESS, content=bytes(99_000))
    refused(busy, "uploads-busy", 503)
    assert int(busy.headers["Retry-After"]) > 0
    assert busy.headers["Connection"] == "close"
    assert web.client.post(ADDRESS, content=body).status_code == 200
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert replies == [200, 200]
    assert web.client.post(ADDRESS, content=body + bytes(90_000)).status_code == 200


def test_who_only_announces_takes_no_room(web: Web) -> None:
    with ExitStack() as lines:
        for _ in range(10):
            raw = lines.enter_context(socket.create_connection((web.client.base_url.host, web.client.base_url.port)))
            length = SMALL.max_upload_bytes
            raw.sendall(f"POST {ADDRESS} HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n\r\nx".encode())
        time.sleep(0.3)
        assert web.client.post(ADDRESS, content=saved(picture(), "PNG")).status_code == 200


def test_a_room_counts_what_arrives() -> None:
    room = UploadRoom(10)
    with room.entered(10) as take, room.entered(0) as other:
        take(6)
        other(4)
        with pytest.raises(UploadsBusy):
            take(1)
        with pytest.raises(UploadsBusy), room.entered(1):
            pass
    with room.entered(10) as take:
        take(10)


def test_a_full_lane_refuses_at_once_and_keeps_nothing(make_web: MakeWeb) -> None:
    policy = replace(DEFAULT_POLICY, lane_caps=dict.fromkeys(DEFAULT_POLICY.lane_caps, 2))
    web = make_web(SMALL, models=(STYLE,), policy=policy)
    web.painter.answer = lambda _: PAINTED
    body = saved(picture(), "PNG")
    with web.held():
        later = {"Prefer": "respond-async"}
        waiting = [web.client.post(ADDRESS, content=body, headers=later) for _ in range(2)]
        assert [reply.json()["position"] for reply in waiting] == [0, 1]
        full = web.client.post(ADDRESS, content=body, headers=later)
        refused(full, "queue-full", 503)
        assert int(full.headers["Retry-After"]) > 0
    until(lambda: web.client.get(waiting[1].headers["Location"]).json()["state"] == "done")


def test_whoever_leaves_while_waiting_cancels_the_job(make_web: MakeWeb) -> None:
    web = make_web(SMALL, models=(STYLE,))
    with web.held():
        with pytest.raises(httpx.ReadTimeout):
            web.client.post(ADDRESS, content=saved(picture(), "PNG"), timeout=0.5)
        until(lambda: web.metric('personne_queue_depth{lane="slow"}') == 0)
    assert web.painter.done == []


def test_no_photo_is_logged(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    body = saved(picture(), "PNG", pnginfo=None) + b"somebody's words"
    web.client.post(ADDRESS, content=body)
    web.client.post(ADDRESS, files={"photo": ("somebody's name.gif", b"GIF89a somebody's words")})
    assert "somebody" not in caplog.text
