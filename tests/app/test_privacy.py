"""What the privacy page says, held against the settings and against what the code does."""

import io
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import redis
from PIL import Image

from app.config import AccessConfig, AppConfig
from app.routes.privacy import duration
from jobs.memory_queue import MemoryQueue
from jobs.queue import DEFAULT_POLICY
from models.catalogue import Catalogue, find_models
from personne.logs import keep_photos_out
from tests.app.conftest import NO_POOL, MakeWeb
from tests.app.service import until
from tests.app.translating import CONFIG, Studio, photo, studio
from tests.redis_server import RedisServer

TELLTALE = "Greta Garbage of 7 Nowhere Lane"
"""Stands in the photo's EXIF and in its XMP, and must stand nowhere afterwards."""


@pytest.fixture(scope="module")
def shelf(translator_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return find_models(translator_store, tmp_path_factory.mktemp("nothing-bundled"))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


def telling_photo() -> bytes:
    image = Image.open(io.BytesIO(photo(96, 128)))
    exif = image.getexif()
    exif[0x010E] = TELLTALE
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.0)}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, xmp=f"<x:xmpmeta>{TELLTALE}</x:xmpmeta>".encode(), quality=95)
    return buffer.getvalue()


def pieces(body: bytes) -> list[bytes]:
    """What would give the photo away: its words, and stretches of its pixels (tables before them any JPEG has)."""
    pixels = body[body.rindex(b"\xff\xda") + 14 :]
    return [TELLTALE.encode(), *(pixels[at : at + 32] for at in range(0, len(pixels) - 32, 97))]


def everything_in(url: str) -> bytes:
    """All that a Redis holds, values of every kind."""
    with redis.Redis.from_url(url) as client:
        return b"".join(key + (client.dump(key) or b"") + _plain(client, key) for key in client.scan_iter())


def _plain(client: "redis.Redis", key: bytes) -> bytes:
    """A value as it is: `DUMP` compresses long ones."""
    match client.type(key):
        case b"hash":
            return repr(client.hgetall(key)).encode() + b"".join(client.hgetall(key).values())
        case b"string":
            return bytes(client.get(key) or b"")
        case b"stream":
            return repr(client.xrange(key)).encode()
    return b""


def submitted(service: Studio, body: bytes) -> str:
    reply = service.post(body, Prefer="respond-async")
    assert reply.status_code == 202, reply.text
    return reply.headers["Location"]


def test_the_page_has_the_settings_own_numbers(make_web: MakeWeb) -> None:
    def said(config: AppConfig) -> str:
        text = make_web(config).client.get("/privacy").text
        return re.sub(r"\s+", " ", text)

    config = replace(NO_POOL, input_ttl_s=5400.0, result_ttl_s=45.0, max_upload_bytes=3 * 2**20)
    page = said(config)
    assert "after 1 hour 30 minutes at most it is gone" in page
    assert "to be fetched for 45 seconds" in page
    assert "up to 3 MiB" in page
    assert "your address is not kept at all" in page
    assert "Redis" not in page
    assert "of what was asked is kept for 1 day" in page
    assert "is kept for 7 days, so that somebody can mend" in page
    assert "webhook" not in page
    assert "collector" not in page
    telling = said(replace(config, webhooks=True, traces=True))
    assert "and kept for 1 day at most" in telling
    assert "sent to a collector" in telling
    limited = said(replace(config, on_redis=True, access=AccessConfig(units_per_minute=5)))
    assert "with a count for 2 minutes at most" in limited
    assert "deleted data stay in this file until Redis rewrites it" in limited
    assert [duration(s) for s in (3600, 300, 90, 0.5, 3661)] == [
        "1 hour",
        "5 minutes",
        "1 minute 30 seconds",
        "0.5 seconds",
        "1 hour 1 minute 1 second",
    ]


def test_nothing_of_a_photo_is_left_in_redis_on_disks_or_in_logs(
    shelf: Catalogue, own_redis: RedisServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keep_photos_out()
    body = telling_photo()
    assert all(piece in body for piece in pieces(body))
    with studio(shelf, own_redis.url) as service:
        done = submitted(service, body)
        assert service.until_over(done)["state"] == "done"
        result = service.client.get(f"{done}/result")
        broken = submitted(service, body[: len(body) // 2] + b"\xff" * 40)
        service.until_over(broken)
        assert service.client.post("/v1/verify", content=body).status_code == 200
        held = everything_in(own_redis.url)
    with redis.Redis.from_url(own_redis.url) as client:
        client.bgrewriteaof()
        until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any("appendonly" in path.name or ".aof" in path.name for path in files)
    for piece in pieces(body):
        assert piece not in held
        assert piece not in result.content
        assert piece not in caplog.text.encode()
        assert [path for path, content in files.items() if piece in content] == []


def test_the_search_would_find_a_photo_that_waits(shelf: Catalogue, own_redis: RedisServer) -> None:
    body = telling_photo()
    with studio(shelf, own_redis.url) as service:
        service.worker.stop()
        # Its last heartbeat still counts for a moment.
        waiting = submitted(service, body)
        assert TELLTALE.encode() in everything_in(own_redis.url)
        began = time.monotonic()
        assert service.client.delete(waiting).status_code == 204
        assert TELLTALE.encode() not in everything_in(own_redis.url)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("queue", ["memory", "redis"])
def test_a_result_is_gone_at_once_when_deleted(queue: str, shelf: Catalogue, redis_url: str) -> None:
    with studio(shelf, redis_url if queue == "redis" else "memory") as service:
        done = submitted(service, telling_photo())
        assert service.until_over(done)["state"] == "done"
        body = service.client.get(f"{done}/result").content
        began = time.monotonic()
        assert service.client.delete(done).status_code == 204
        assert service.client.get(f"{done}/result").status_code == 404
        assert time.monotonic() - began < 3
        if queue == "redis":
            assert body[:64] not in everything_in(redis_url)


def test_nobody_need_ask_for_what_is_past_its_time_to_be_gone() -> None:
    """In memory too: the worker's heartbeat takes it out."""
    import asyncio

    from jobs.contract import Lane, PictureFormat, TranslateJob, WorkerBeat

    queue = MemoryQueue(replace(DEFAULT_POLICY, input_ttl_s=0.05))
    job = TranslateJob("a" * 16, 1.0, PictureFormat.PNG)
    job_id = asyncio.run(queue.submitter.submit(job, lane=Lane.SLOW, timeout_ms=60_000, inputs={"photo": b"x" * 99}))
    entries = queue.source._queue.entries
    assert entries[job_id].inputs
    time.sleep(0.06)
    queue.source.beat(WorkerBeat("one", (), (), (), "cpu", ready=True))
    assert not entries[job_id].inputs


def test_by_default_photos_and_results_are_gone_within_the_hour() -> None:
    from personne.errors import SettingRefused
    from personne.settings import read_settings

    config = read_settings().app_config()
    assert config.input_ttl_s <= 3600
    assert config.result_ttl_s <= 3600
    for name in ("input_ttl_s", "result_ttl_s"):
        with pytest.raises(SettingRefused):
            read_settings(**{name: 3601})


def test_no_visitor_is_in_the_log(shelf: Catalogue, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with studio(shelf, "memory", CONFIG) as service:
        headers = {"X-API-Key": "psn_" + "a" * 36, "User-Agent": TELLTALE}
        with httpx.Client(base_url=service.client.base_url, headers=headers) as client:
            client.post("/v1/translations?style=blots", content=b"no photo")
            client.get(f"/v1/jobs/{'0' * 32}?x={TELLTALE}")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert not [line for line in ours if TELLTALE in line or "psn_" in line or "GET /" in line]
