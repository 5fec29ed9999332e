"""GET /v1/morphs: what it asks of the worker, its address, its limits, and how one waits for it."""

import pytest

from jobs.contract import AnimationFormat, JobOutcome, JobResult, MorphJob
from tests.app.conftest import MakeWeb, Web
from tests.app.service import failing, manifest

DIGEST = manifest().digest


def moving(job: object) -> JobOutcome:
    """A worker's answer; the bytes are of no concern to the web."""
    assert isinstance(job, MorphJob)
    return JobResult(b"frames of " + str(job.seeds).encode(), job.format.media_type)


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    web = make_web()
    web.painter.answer = moving
    return web


def last(web: Web) -> MorphJob:
    job = web.painter.done[-1].job
    assert isinstance(job, MorphJob)
    return job


def test_from_one_face_to_another(web: Web) -> None:
    reply = web.client.get("/v1/morphs?from=1&to=2")
    assert reply.status_code == 200, reply.text
    assert (reply.headers["Content-Type"], reply.content) == ("image/webp", b"frames of (1, 2)")
    assert "immutable" in reply.headers["Cache-Control"]
    job = last(web)
    assert (job.seeds, job.frames, job.fps, job.loop, job.format) == ((1, 2), 48, 24, False, AnimationFormat.WEBP)
    assert (job.truncation_psi, job.size, job.model) == (0.7, 64, DIGEST)


def test_its_address_is_permanent(web: Web) -> None:
    asked = "/v1/morphs?seeds=1,2,18446744073709551615&frames=30&fps=10&loop=true&format=gif&size=32&mix=9:0-3"
    reply = web.client.get(asked)
    address = reply.headers["Content-Location"]
    assert f"model={DIGEST}" in address
    assert "seeds=1,2,18446744073709551615" in address
    job = last(web)
    assert web.client.get(address).headers["ETag"] == reply.headers["ETag"]
    assert last(web) == job
    assert job.mix == ((9, 0, 3, 1.0),)
    made = len(web.painter.done)
    assert web.client.get(address, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
    assert len(web.painter.done) == made
    assert web.client.get(asked.replace("fps=10", "fps=11")).headers["ETag"] != reply.headers["ETag"]


def test_the_same_as_a_job(web: Web) -> None:
    web.client.get("/v1/morphs?seeds=1,2,3&frames=30&loop=true&format=gif&size=32&mix=9:0-3&truncation_psi=0.5")
    by_address = last(web)
    look = {"size": 32, "mix": "9:0-3", "truncation_psi": 0.5}
    asked = {"kind": "morph", "seeds": [1, "2", 3], "frames": 30, "loop": True, "format": "gif", **look}
    reply = web.client.post("/v1/jobs", json=asked, headers={"Prefer": "wait=5"})
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/gif")
    assert reply.content == b"frames of (1, 2, 3)"
    assert last(web) == by_address
    assert web.client.post("/v1/jobs", json=asked).status_code == 202
    for wish, slug in (
        ({"seeds": [1]}, "invalid-parameter"),
        ({"seeds": [1, -2]}, "seed-out-of-range"),
        ({"frames": 241}, "invalid-parameter"),
        ({"format": "png"}, "invalid-parameter"),
        ({"attributes": {"smile": 1}}, "no-such-attribute"),
    ):
        refused = web.client.post("/v1/jobs", json={**asked, **wish})
        assert refused.json()["type"] == f"/problems/{slug}", refused.text


def test_whoever_does_not_wait_is_told_the_address_of_the_job(web: Web) -> None:
    with web.held():
        begun = web.client.get("/v1/morphs?from=1&to=2", headers={"Prefer": "respond-async"})
        assert begun.status_code == 202
        address = begun.headers["Location"]
    events = web.client.get(f"{address}/events", headers={"Accept": "text/event-stream"})
    assert "done" in events.text
    result = web.client.get(f"{address}/result")
    assert (result.headers["Content-Type"], result.content) == ("image/webp", b"frames of (1, 2)")


@pytest.mark.parametrize(
    ("query", "slug", "members"),
    [
        ("from=1", "seeds-unclear", {}),
        ("seeds=1,2,3&frames=2", "morph-too-short", {"limit": 3}),
        ("seeds=1", "invalid-parameter", {}),
        ("seeds=1,2&to=3", "seeds-unclear", {}),
        ("", "seeds-unclear", {}),
        ("seeds=" + ",".join(["7"] * 17), "seeds-unclear", {}),
        ("from=1&to=-2", "seed-out-of-range", {}),
        ("from=1&to=18446744073709551616", "seed-out-of-range", {}),
        ("from=1&to=2&frames=1", "invalid-parameter", {"limit": {"minimum": 2}}),
        ("from=1&to=2&frames=241", "invalid-parameter", {"limit": {"maximum": 240}}),
        ("from=1&to=2&fps=51", "invalid-parameter", {"limit": {"maximum": 50}}),
        ("from=1&to=2&format=png", "invalid-parameter", {}),
        ("from=1&to=2&mix=9:0-10", "mix-refused", {"limit": {"minimum": 0, "maximum": 9}}),
        ("from=1&to=2&speed=3", "unknown-parameter", {"unknown": ["speed"]}),
    ],
)
def test_refusals(web: Web, query: str, slug: str, members: dict[str, object]) -> None:
    reply = web.client.get(f"/v1/morphs?{query}")
    assert reply.status_code == 422
    problem = reply.json()
    assert problem["type"] == f"/problems/{slug}", problem
    assert {name: problem[name] for name in members} == members
    assert web.painter.done == []


def test_frames_times_pixels_are_limited(make_web: MakeWeb) -> None:
    web = make_web(models=(manifest(resolution=1024),))
    web.painter.answer = moving
    reply = web.client.get("/v1/morphs?from=1&to=2&frames=65")
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/morph-too-large")
    assert reply.json()["limit"] == 64
    assert "1024 pixels a side may have 64 frames" in reply.json()["detail"]
    assert web.client.get("/v1/morphs?from=1&to=2&frames=65&size=512").status_code == 200


def test_a_worker_that_writes_no_mp4_says_so(web: Web) -> None:
    web.painter.answer = failing("video-missing", "This worker cannot write MP4.")
    reply = web.client.get("/v1/morphs?from=1&to=2&format=mp4")
    assert (reply.status_code, reply.json()["type"]) == (501, "/problems/video-missing")
