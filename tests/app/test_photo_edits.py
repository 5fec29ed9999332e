"""A photo with an edit, over HTTP: found, inverted, moved, drawn, and put back."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.app.inverting import Finder, finder
from tests.app.translating import photo

HERE = "60,70,100,72,81,95,64,115,97,116"
BODY = photo(200, 180, "PNG")


@pytest.fixture(scope="module")
def found(invertible_store: Path) -> Iterator[Finder]:
    with finder(invertible_store) as running:
        yield running


def edited(found: Finder, body: bytes = BODY, **wish: Any) -> httpx.Response:
    wanted = json.dumps({"method": "encoder", "landmarks": HERE, **wish})
    return found.client.post("/v1/edits", files={"photo": ("me.png", body), "edit": (None, wanted)})


def opened(reply: httpx.Response) -> np.ndarray:
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content)))


def test_the_face_of_a_photo_is_drawn_again(found: Finder) -> None:
    alone = opened(edited(found, format="png"))
    assert alone.shape == (32, 32, 3)
    average = opened(edited(found, format="png", truncation_psi=0))
    other = opened(edited(found, format="png", truncation_psi=0, landmarks="50,70,90,72,71,95,54,115,87,116"))
    assert np.abs(alone.astype(int) - average).max() > 20
    np.testing.assert_array_equal(average, other)


def test_it_may_be_mixed_with_the_face_of_a_seed(found: Finder) -> None:
    alone, half = opened(edited(found, format="png")), opened(edited(found, format="png", mix="9:0-3"))
    assert np.abs(alone.astype(int) - half).max() > 20
    whole = opened(edited(found, format="png", mix="9:0-7"))
    other = opened(found.client.get("/v1/faces/9.png?truncation_psi=1"))
    assert np.abs(whole.astype(int) - other).max() <= 1, "all layers of another face are that face"
    recipe = found.client.post("/v1/verify", content=edited(found, mix="9:0-3").content).json()["recipe"]
    assert recipe["parameters"]["mix"] == "9:0-3"


def test_a_latent_moves_along_what_was_just_taught(found: Finder) -> None:
    scores = {str(seed): 1 if seed % 2 else -1 for seed in range(12)}
    taught = found.client.post("/v1/directions", json={"name": "cheerful", "scores": scores}).json()["id"]
    latent = found.post(BODY, f"?method=encoder&landmarks={HERE}").json()["id"]
    pictures = [
        opened(found.client.post("/v1/edits", json={"latent": latent, "format": "png", **wish})).astype(int)
        for wish in ({}, {"taught": taught, "attributes": {"cheerful": -3}})
    ]
    assert np.abs(pictures[0] - pictures[1]).max() > 20


def test_pasted_it_is_the_photo_changed_where_the_face_is(found: Finder) -> None:
    before = np.asarray(Image.open(io.BytesIO(BODY)))
    unchanged = opened(edited(found, paste=True))
    assert unchanged.shape == before.shape
    # Nothing was asked; beside the watermark, nothing changes.
    assert np.abs(unchanged.astype(int) - before).mean() < 3
    changed = opened(edited(found, paste=True, truncation_psi=0)).astype(int) - unchanged
    assert np.abs(changed[60:130, 50:110]).mean() > 2 + 3 * np.abs(changed[-20:, -20:]).mean()


def test_its_marks_say_that_it_was_made_of_a_photo(found: Finder) -> None:
    reply = edited(found, paste=True)
    assert reply.headers["Content-Type"] == "image/png", "its own format"
    assert reply.headers["Personne-Model"] == found.manifest.digest
    told = found.client.post("/v1/verify", content=reply.content).json()
    assert "composite" in told["xmp"]["source_type"]
    assert told["recipe"]["kind"] == "photo_edit"


def test_a_photo_that_its_format_has_no_room_for_is_not_answered_whole(found: Finder) -> None:
    wide = photo(180, 16_384, "PNG")
    reply = edited(found, wide, paste=True, format="webp")
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/too-long-for-format")
    assert reply.json()["limit"] == 16_383
    assert opened(edited(found, wide, format="webp")).shape == (32, 32, 3), "the face alone is short enough"


@pytest.mark.parametrize(
    ("wish", "slug"),
    [
        ({"smile": 1}, "invalid-parameter"),
        ({"attributes": {"smile": 1}}, "no-such-attribute"),
        ({"size": 4096}, "size-out-of-range"),
        ({"landmarks": "1,2"}, "landmarks-malformed"),
        ({"face": 3}, "several-faces"),
        ({"mix": "9:0-99"}, "mix-refused"),
    ],
)
def test_what_cannot_be_is_refused(found: Finder, wish: dict[str, Any], slug: str) -> None:
    reply = edited(found, **wish)
    assert reply.status_code == 422
    assert reply.json()["type"] == f"/problems/{slug}", reply.text


def test_json_goes_where_it_went_and_other_parts_are_refused(found: Finder) -> None:
    assert found.client.post("/v1/edits", json={"seed": 3}).status_code == 200
    assert found.client.post("/v1/edits", content=b"{}").json()["type"] != "/problems/no-photo"
    odd = found.client.post("/v1/edits", files={"photo": ("me.png", BODY), "wish": (None, "{}")})
    assert odd.json()["type"] == "/problems/unknown-parameter"
    assert odd.json()["known"] == ["photo", "edit"]
    twice = [("edit", (None, "{}")), ("edit", (None, "{}")), ("photo", ("me.png", BODY))]
    assert found.client.post("/v1/edits", files=twice).json()["type"] == "/problems/repeated-parameter"
    long = found.client.post("/v1/edits", files={"edit": (None, " " * 70_000), "photo": ("me.png", BODY)})
    assert long.json()["type"] in ("/problems/upload-malformed", "/problems/upload-too-big")
    broken = found.client.post("/v1/edits", files={"photo": ("me.png", BODY), "edit": (None, "{")})
    assert broken.json()["type"] == "/problems/invalid-parameter"
