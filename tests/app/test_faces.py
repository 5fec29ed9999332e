"""/v1/faces: the face of a seed for ever, and several drawn at once."""

import io

import pytest
from PIL import Image

from app.schemas import PermanentQuery
from tests.app.conftest import MakeWeb, Web
from tests.app.service import manifest

MAX_SEED = 2**64 - 1


@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_a_seed_is_the_same_picture_for_ever(web: Web, extension: str) -> None:
    first, second = (web.client.get(f"/v1/faces/7.{extension}") for _ in range(2))
    assert first.content == second.content
    assert Image.open(io.BytesIO(first.content)).get_format_mimetype() == first.headers["Content-Type"]
    assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert first.headers["Personne-Seed"] == "7"
    assert "Vary" not in first.headers


@pytest.mark.parametrize("seed", [0, 2**32, 2**53 + 1, MAX_SEED])
def test_any_64_bit_seed(web: Web, seed: int) -> None:
    assert web.client.get(f"/v1/faces/{seed}.png").headers["Personne-Seed"] == str(seed)
    assert web.painter.done[-1].job.seed == seed


@pytest.mark.parametrize("seed", ["-1", str(MAX_SEED + 1), "07", "7.5", "seven", "1e3", "٧", "9" * 400, "%00"])
def test_other_seeds_are_refused_with_the_limits(web: Web, seed: str) -> None:
    for address in (f"/v1/faces/{seed}", f"/v1/faces/{seed}.png"):
        reply = web.client.get(address)
        assert reply.status_code == 422, address
        assert reply.headers["Content-Type"] == "application/problem+json"
    assert web.painter.done == []


def test_the_limit_of_a_seed_is_a_string_since_it_is_above_2_53(web: Web) -> None:
    assert web.client.get("/v1/faces/-1.png").json()["limit"] == {"minimum": 0, "maximum": str(MAX_SEED)}


def test_without_an_ending_the_format_is_negotiated(web: Web) -> None:
    assert web.client.get("/v1/faces/7").headers["Content-Type"] == "image/jpeg"
    assert web.client.get("/v1/faces/7").headers["Vary"] == "Accept"
    assert web.client.get("/v1/faces/7", headers={"Accept": "image/png"}).headers["Content-Type"] == "image/png"
    assert web.client.get("/v1/faces/7?format=webp").headers["Content-Type"] == "image/webp"


def test_an_ending_and_a_format_contradict_each_other(web: Web) -> None:
    reply = web.client.get("/v1/faces/7.png?format=jpg")
    assert reply.status_code == 422
    assert reply.json()["known"] == list(PermanentQuery.model_json_schema()["properties"])


def test_whoever_has_it_gets_304_before_any_job_is_made(web: Web) -> None:
    etag = web.client.get("/v1/faces/7.png").headers["ETag"]
    assert etag.startswith(f'W/"{manifest().digest}-7-')
    made = len(web.painter.done)
    for header in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        reply = web.client.get("/v1/faces/7.png", headers={"If-None-Match": header})
        assert reply.status_code == 304
        assert reply.content == b""
        assert reply.headers["ETag"] == etag
        assert "immutable" in reply.headers["Cache-Control"]
    assert len(web.painter.done) == made
    assert web.client.get("/v1/faces/7.png", headers={"If-None-Match": '"other"'}).status_code == 200
    lines = [("If-None-Match", '"other"'), ("If-None-Match", etag)]
    assert web.client.get("/v1/faces/7.png", headers=lines).status_code == 304, "one list in two lines"


def test_the_validator_changes_with_everything_that_makes_the_pixels(make_web: MakeWeb) -> None:
    web = make_web(models=(manifest(), manifest("other", sha256="b" * 64)))
    queries = ("", "?size=32", "?truncation_psi=0.5", "?model=other")
    tags = {web.client.get(f"/v1/faces/7.png{query}").headers["ETag"] for query in queries}
    tags |= {web.client.get(address).headers["ETag"] for address in ("/v1/faces/8.png", "/v1/faces/7.jpg")}
    assert len(tags) == 6


def test_minus_zero_is_zero(web: Web) -> None:
    plus, minus = (web.client.get(f"/v1/faces/7.png?truncation_psi={psi}").headers for psi in ("0", "-0.0"))
    assert plus["ETag"] == minus["ETag"]
    assert plus["Content-Location"] == minus["Content-Location"]


def test_head_is_get_without_the_body(web: Web) -> None:
    got, head = web.client.get("/v1/faces/7.png"), web.client.head("/v1/faces/7.png")
    assert head.content == b""
    without_date = [{k: v for k, v in reply.headers.items() if k != "date"} for reply in (got, head)]
    assert without_date[0] == without_date[1]


def test_a_permanent_address_outlives_a_new_default_model_and_a_rename(make_web: MakeWeb) -> None:
    old = make_web()
    location = old.client.get("/v1/faces/7.png").headers["Content-Location"]
    picture = old.client.get(location).content
    renamed = manifest("faces-2026")
    new = make_web(models=(manifest(sha256="b" * 64), renamed))
    assert new.client.get("/v1/faces/7.png").headers["Content-Location"] != location
    kept = new.client.get(location)
    assert kept.headers["Personne-Model"] == renamed.digest
    assert kept.content == picture
    gone = make_web(models=(manifest(sha256="b" * 64),)).client.get(location)
    assert gone.status_code == 404
    assert gone.json()["type"] == "/problems/model-not-found"


def test_several_are_drawn_at_once(web: Web) -> None:
    reply = web.client.get("/v1/faces?count=20&size=32&format=png")
    faces = reply.json()["faces"]
    assert reply.headers["Cache-Control"] == "no-store"
    assert len({face["seed"] for face in faces}) == 20
    assert all(0 <= face["seed"] < 2**32 for face in faces)
    assert web.painter.done == []
    picture = web.client.get(faces[0]["address"])
    assert Image.open(io.BytesIO(picture.content)).size == (32, 32)
    assert picture.headers["Content-Location"] == faces[0]["address"]
    assert web.client.get(faces[0]["page"]).status_code == 200
    assert len(web.client.get("/v1/faces").json()["faces"]) == 10


@pytest.mark.parametrize("count", [0, 101, -1])
def test_how_many_has_its_limit(web: Web, count: int) -> None:
    reply = web.client.get(f"/v1/faces?count={count}")
    assert reply.status_code == 422
    assert reply.json()["limit"] == ({"maximum": 100} if count > 0 else {"minimum": 1})
