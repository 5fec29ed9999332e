"""From a photo to a latent, over HTTP: a real generator, its gradient graph, an encoder and the bundled locator."""

import base64
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.locator_files import LOCATOR_FOLDER
from tests.app.inverting import INVERSIONS, Finder, finder
from tests.app.service import until
from tests.app.translating import photo

DATA = Path(__file__).parents[3] / "shared" / "data"
HERE = "landmarks=60,70,100,72,81,95,64,115,97,116"
CROP = ("x", "y", "across_x", "across_y")
QUICK = f"?method=encoder&{HERE}"
needs_locator = pytest.mark.skipif(not LOCATOR_FOLDER.is_dir(), reason="the locator is not bundled")
needs_photos = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


@pytest.fixture(scope="module")
def found(invertible_store: Path) -> Iterator[Finder]:
    with finder(invertible_store) as running:
        yield running


def test_a_photo_becomes_a_latent_that_is_drawn_edited_and_erased(found: Finder) -> None:
    reply = found.post(photo(200, 180), f"?{HERE}")
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert told["method"] == "hybrid"
    assert told["space"] == "w_plus"
    assert told["model"] == reply.headers["Personne-Model"] == found.manifest.digest
    assert told["photo"] == {"width": 180, "height": 200}
    assert told["landmarks"][0] == [60.0, 70.0]
    left, top, width, height = told["box"]
    assert left < 60
    assert left + width > 100
    assert top < 70
    assert top + height > 116
    assert 0 < told["error"] < 255
    assert "ws" not in told, "whoever asks where a face is need not be sent a thousand numbers"
    assert reply.headers["Content-Location"] == told["address"]
    assert reply.headers["Cache-Control"] == "no-store"
    assert found.client.get(told["address"]).json() == told

    drawn = found.client.get(told["reconstruction"], params={"format": "png"})
    assert drawn.status_code == 200, drawn.text
    assert Image.open(io.BytesIO(drawn.content)).size == (32, 32)
    edited = found.client.post("/v1/edits", json={"latent": told["id"], "format": "png"})
    assert edited.status_code == 200, edited.text
    np.testing.assert_array_equal(*(np.asarray(Image.open(io.BytesIO(r.content))) for r in (drawn, edited)))

    assert found.client.delete(told["address"]).status_code == 204
    for gone in (told["address"], told["reconstruction"], f"/v1/jobs/{told['id']}"):
        assert found.client.get(gone).status_code == 404
    assert found.client.post("/v1/edits", json={"latent": told["id"]}).status_code == 404


def test_the_reconstruction_is_as_far_from_the_face_as_is_said(found: Finder) -> None:
    body = photo(200, 180)
    told = found.post(body, QUICK).json()
    stored = found.client.get(f"/v1/jobs/{told['id']}/result")
    assert stored.headers["Content-Type"].startswith("application/json")
    document = stored.json()
    ws = np.frombuffer(base64.b64decode(document["ws"]), "<f4")
    assert ws.size == found.manifest.num_ws * found.manifest.w_dim
    assert np.isfinite(ws).all()
    from models.alignment import cut
    from worker.tasks.invert import square_of

    face = cut(np.asarray(Image.open(io.BytesIO(body)).convert("RGB")), square_of(document), 32)
    drawn = found.client.get(told["reconstruction"], params={"format": "png"})
    picture = np.asarray(Image.open(io.BytesIO(drawn.content)).convert("RGB")).astype(float)
    # The picture is stamped by now, but not its pixels: it is too small for a watermark.
    assert np.sqrt(np.square(picture - face).mean()) == pytest.approx(told["error"], abs=0.01)


def test_it_goes_on_behind_an_address_and_says_how_far_it_is(found: Finder) -> None:
    reply = found.post(photo(200, 180), f"?method=descent&space=w&{HERE}", Prefer="respond-async")
    assert reply.status_code == 202, reply.text
    job = reply.json()
    seen: list[float] = []

    def over() -> bool:
        document = found.client.get(job["address"]).json()
        seen.extend([document["progress"]] if document["progress"] else [])
        return bool(document["state"] == "done")

    until(over, timeout_s=120)
    assert seen == sorted(seen)
    told = found.client.get(f"{INVERSIONS}/{job['id']}").json()
    assert (told["method"], told["space"]) == ("descent", "w")


def test_a_descent_that_nobody_wants_any_more_ends(found: Finder) -> None:
    def seconds_of(query: str) -> float:
        began = time.monotonic()
        assert found.post(photo(200, 180), query).status_code == 200
        return time.monotonic() - began

    job = found.post(photo(200, 180), f"?method=descent&{HERE}", Prefer="respond-async").json()
    until(lambda: found.client.get(job["address"]).json()["progress"])
    assert found.client.delete(f"{INVERSIONS}/{job['id']}").status_code == 204
    # The job is over at once, whatever becomes of the descent; but the lane does one thing after the other.
    until_next_s = seconds_of(QUICK)
    assert found.until_over(job["address"])["state"] == "cancelled"
    assert until_next_s < seconds_of(f"?method=descent&{HERE}") / 2, "nobody waited for its end"


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("landmarks=1,2,3", "landmarks-malformed"),
        ("landmarks=1,2,3,4,5,6,7,8,9,nan", "landmarks-malformed"),
        ("landmarks=1,1,1,1,1,1,1,1,1,1", "landmarks-malformed"),
        # The eyes of the person's own left and right, all on one line, upside down by mistake, and beyond the photo.
        ("landmarks=100,72,60,70,81,95,97,116,64,115", "landmarks-malformed"),
        ("landmarks=10,100,60,100,35,100,20,100,50,100", "landmarks-malformed"),
        ("landmarks=60,116,97,115,81,95,64,70,97,72", "landmarks-malformed"),
        ("landmarks=5060,70,5100,72,5081,95,5064,115,5097,116", "face-not-found"),
        ("landmarks=10,10,18,10,14,15,11,20,17,20", "face-too-small"),
        (f"face=1&{HERE}", "several-faces"),
        ("method=guess", "invalid-parameter"),
        ("face=-1", "invalid-parameter"),
        ("space=z", "invalid-parameter"),
        ("smile=1", "unknown-parameter"),
        ("model=nobody", "model-not-found"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(found: Finder, query: str, slug: str) -> None:
    reply = found.post(photo(200, 180), f"?{query}")
    assert reply.json()["type"] == f"/problems/{slug}", reply.text
    assert reply.status_code == (404 if slug == "model-not-found" else 422)


def test_a_model_without_a_way_back_names_those_that_have_one(tiny_store: Path) -> None:
    with finder(tiny_store) as running:
        reply = running.post(photo(200, 180), f"?{HERE}")
        assert reply.status_code == 422
        assert reply.json()["type"] == "/problems/model-cannot"
        assert "train encoder" in reply.json()["detail"]


def test_a_job_that_left_a_picture_is_no_latent(found: Finder) -> None:
    told = found.client.post("/v1/jobs", json={"kind": "generate"})
    assert told.status_code in (200, 201, 202), told.text
    job = told.json()["id"]
    until(lambda: found.client.get(f"/v1/jobs/{job}").json()["state"] == "done", timeout_s=60)
    assert found.client.get(f"{INVERSIONS}/{job}").json()["type"] == "/problems/no-latent"


@needs_locator
@needs_photos
def test_a_real_portrait_is_found(found: Finder) -> None:
    body = (DATA / "faces" / "raw" / "A000364.jpg").read_bytes()
    told = found.post(body, "?method=encoder").json()
    left, top, width, height = told["box"]
    assert told["faces"] == 1
    assert 50 < left < left + width < 175
    assert 40 < top < top + height < 220
    assert told["score"] > 0.5


@needs_locator
def test_a_photo_without_a_face_says_what_helps(found: Finder) -> None:
    flat = io.BytesIO()
    Image.new("RGB", (400, 300), (90, 120, 160)).save(flat, "PNG")
    reply = found.post(flat.getvalue())
    assert reply.status_code == 422
    assert reply.json()["type"] == "/problems/face-not-found"
    assert "landmarks=" in reply.json()["detail"]


@needs_locator
@needs_photos
def test_several_faces_come_with_their_boxes_and_one_may_be_chosen(found: Finder) -> None:
    portrait = Image.open(DATA / "faces" / "raw" / "A000364.jpg").convert("RGB")
    both = Image.new("RGB", (2 * portrait.width, portrait.height))
    both.paste(portrait, (0, 0))
    both.paste(portrait, (portrait.width, 0))
    file = io.BytesIO()
    both.save(file, "JPEG", quality=95)
    refused = found.post(file.getvalue(), "?method=encoder")
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["type"] == "/problems/several-faces"
    assert [face["number"] for face in problem["faces"]] == [0, 1]
    for number in (0, 1):
        told = found.post(file.getvalue(), f"?method=encoder&face={number}").json()
        assert told["box"] == problem["faces"][number]["box"]
        assert problem["faces"][number]["crop"] == {name: told["crop"][name] for name in CROP}
    assert found.post(file.getvalue(), "?face=2").json()["type"] == "/problems/several-faces"
    job = found.post(file.getvalue(), "", Prefer="respond-async").json()
    over = found.until_over(job["address"])
    assert over["state"] == "failed"
    assert len(over["problem"]["faces"]) == 2
    assert json.dumps(over["problem"]["faces"]) == json.dumps(problem["faces"])
