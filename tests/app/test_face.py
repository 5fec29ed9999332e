"""GET /face: a new face at every request, from the pool or through the queue."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from app.config import AppConfig
from app.errands import Errands
from jobs.contract import JobResult, Lane
from tests.app.conftest import MakeWeb, Web
from tests.app.service import manifest, until


def opened(reply: httpx.Response) -> Image.Image:
    assert reply.status_code == 200, reply.text
    return Image.open(io.BytesIO(reply.content))


def test_two_requests_get_two_faces(web: Web) -> None:
    first, second = web.client.get("/face"), web.client.get("/face")
    assert opened(first).size == opened(second).size == (64, 64)
    assert opened(first).format == "JPEG"
    assert first.headers["Personne-Seed"] != second.headers["Personne-Seed"]


def test_the_headers_say_which_face_it_is_and_where_it_stays(web: Web) -> None:
    reply = web.client.get("/face", params={"size": 32, "truncation_psi": 0.5, "format": "png"})
    seed, digest = int(reply.headers["Personne-Seed"]), manifest().digest
    assert seed < 2**32
    assert reply.headers["Personne-Model"] == digest
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Vary"] == "Accept"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    expected = f"/v1/faces/{seed}.png?model={digest}&truncation_psi=0.5&size=32"
    assert reply.headers["Content-Location"] == expected
    assert web.client.get(expected).content == reply.content


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "image/jpeg"),
        ("image/png, image/jpeg;q=0.1", "image/jpeg"),
        ("text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8", "image/jpeg"),
        ("image/png", "image/png"),
        ("image/png, image/webp", "image/webp"),
        ("image/png;q=0.9, image/webp;q=0.5", "image/png"),
        ("image/*, image/jpeg;q=0", "image/webp"),
        ("IMAGE/PNG;q=nonsense", "image/png"),
        ("", "image/jpeg"),
    ],
)
def test_jpeg_unless_accept_excludes_it(web: Web, accept: str, expected: str) -> None:
    reply = web.client.get("/face", headers={"Accept": accept})
    assert reply.headers["Content-Type"] == expected
    assert opened(reply).get_format_mimetype() == expected


def test_nothing_acceptable_is_406(web: Web) -> None:
    reply = web.client.get("/face", headers={"Accept": "text/html, image/*;q=0"})
    assert reply.status_code == 406
    assert reply.json()["type"] == "/problems/no-format-accepted"
    assert web.client.get("/face?format=webp", headers={"Accept": "text/html"}).headers["Content-Type"] == "image/webp"


def test_sixty_four_at_once_are_sixty_four_faces(web: Web) -> None:
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda _: web.client.get("/face"), range(64)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.headers["Personne-Seed"] for reply in replies}) == 64


def test_the_pool_gives_each_face_once_and_refills(make_web: MakeWeb) -> None:
    web = make_web(AppConfig(ready_faces=4))
    until(lambda: web.metric("personne_ready_faces") == 4)
    assert {delivery.lane for delivery in web.painter.done} == {Lane.IDLE}
    made_ahead = {str(delivery.job.seed) for delivery in web.painter.done}
    with web.held():
        given = [web.client.get("/face").headers["Personne-Seed"] for _ in range(4)]
        assert set(given) == made_ahead
        assert len(set(given)) == 4
        assert web.metric("personne_ready_faces") == 0
    until(lambda: web.metric("personne_ready_faces") == 4)


def test_the_pool_is_for_what_it_holds_only(make_web: MakeWeb) -> None:
    web = make_web(AppConfig(ready_faces=2))
    until(lambda: web.metric("personne_ready_faces") == 2)
    for query in ("size=32", "truncation_psi=0.5", "format=png"):
        assert web.client.get(f"/face?{query}").status_code == 200
    assert web.metric("personne_ready_faces") == 2
    quick = [delivery for delivery in web.painter.done if delivery.lane is Lane.QUICK]
    assert len(quick) == 3


def test_asking_for_the_defaults_by_name_is_asking_for_the_pool(make_web: MakeWeb) -> None:
    web = make_web(AppConfig(ready_faces=2))
    until(lambda: web.metric("personne_ready_faces") == 2)
    web.client.get(f"/face?model={manifest().digest}&truncation_psi=0.7&size=64&format=jpg")
    assert all(delivery.lane is Lane.IDLE for delivery in web.painter.done)


def test_an_empty_pool_goes_through_the_queue(make_web: MakeWeb) -> None:
    web = make_web(AppConfig(ready_faces=1, request_timeout_s=5.0))
    until(lambda: web.metric("personne_ready_faces") == 1)
    replies = [web.client.get("/face") for _ in range(10)]
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.headers["Personne-Seed"] for reply in replies}) == 10


def test_the_pool_fills_as_soon_as_a_worker_comes(make_web: MakeWeb) -> None:
    web = make_web(AppConfig(ready_faces=2), working=False)
    assert web.client.get("/face").status_code == 503
    with web.painter:
        until(lambda: web.metric("personne_ready_faces") == 2)


def test_the_pool_outlives_a_bug(make_web: MakeWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    run, failed = Errands.run, []

    async def fails_first(errands: Errands, *asked: Any) -> JobResult:
        if not failed:
            failed.append(asked)
            raise RuntimeError("a bug")
        return await run(errands, *asked)

    monkeypatch.setattr(Errands, "run", fails_first)
    web = make_web(AppConfig(ready_faces=1))
    until(lambda: web.metric("personne_ready_faces") == 1)
    assert failed


def test_metrics_show_what_the_stages_took(web: Web) -> None:
    web.client.get("/face")
    text = web.client.get("/metrics").text
    assert web.metric("personne_queue_wait_seconds_sum") == pytest.approx(0.001)
    assert web.metric("personne_inference_seconds_sum") == pytest.approx(0.002)
    assert web.metric("personne_encode_seconds_sum") == pytest.approx(0.003)
    assert web.metric("personne_batch_size_count") == 1
    assert web.metric("personne_queue_up") == 1
    assert re.search(r'^personne_requests_total\{code="200",route="/face"\} 1.0$', text, re.MULTILINE)
    assert re.search(r'^personne_queue_depth\{lane="quick"\} 0.0$', text, re.MULTILINE)
    for name in ("personne_job_retries", "personne_dead_jobs", "personne_ready_faces_target"):
        assert web.metric(name) == 0
