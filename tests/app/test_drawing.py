"""GET /v1/faces: drawn within ranges of attributes, neighbours of a face, and how long what is moved may be kept."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jobs.contract import GenerateJob, JobResult
from models.catalogue import Catalogue, ModelEntry
from models.directions import Directions
from models.ranges import drawn_edits
from tests.app.conftest import MakeWeb, Web
from tests.app.service import manifest
from tests.some_directions import some_directions

MODEL = manifest()
KNOWN = Directions(some_directions(), "0123abcd")


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    return make_web(models=(MODEL,), shelf=Catalogue({"faces": ModelEntry(MODEL, Path(), "bundled", KNOWN)}))


def listed(web: Web, query: str) -> list[dict[str, Any]]:
    reply = web.client.get(f"/v1/faces?{query}")
    assert reply.status_code == 200, reply.text
    faces: list[dict[str, Any]] = reply.json()["faces"]
    return faces


def asked(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_faces_are_moved_within_ranges_by_their_seeds(web: Web) -> None:
    faces = listed(web, "age=-2..-1&smile=1&count=20")
    assert len({face["seed"] for face in faces}) == 20
    for face in faces:
        query = asked(face["address"])
        assert -2 <= float(query["age"]) <= -1
        assert (query["smile"], query["directions"]) == ("1", "0123abcd")
        drawn = dict(drawn_edits((("age", -2.0, -1.0), ("smile", 1.0, 1.0)), int(face["seed"])))
        assert float(query["age"]) == drawn["age"]
    assert web.client.get(faces[0]["address"]).status_code == 200
    job = web.painter.done[-1].job
    assert isinstance(job, GenerateJob)
    assert [name for name, _ in job.edits] == ["age", "smile"]
    assert web.client.get(faces[0]["page"]).status_code == 200


def test_neighbours_are_the_same_for_ever(web: Web) -> None:
    faces = listed(web, "like=7&count=12")
    assert faces == listed(web, "like=7&count=12")
    assert listed(web, "like=7&count=5") == faces[:5]
    assert {face["seed"] for face in faces} == {7}
    mixes = {asked(face["address"])["mix"] for face in faces}
    assert len(mixes) == 12
    assert all(mix.endswith(":0-9:0.35") for mix in mixes)
    assert not {asked(face["address"])["mix"] for face in listed(web, "like=8&count=12")} & mixes
    assert web.client.get(faces[0]["address"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("age=-9..1", "attribute-out-of-range"),
        ("age=0..9", "attribute-out-of-range"),
        ("age=old", "invalid-parameter"),
        ("age=1..2&keep=age", "edit-refused"),
        ("wit=1..2", "unknown-parameter"),
        ("like=one", "seed-out-of-range"),
        ("like=7&mix=9:0-3", "mix-refused"),
    ],
)
def test_refusals(web: Web, query: str, slug: str) -> None:
    reply = web.client.get(f"/v1/faces?{query}")
    assert (reply.status_code, reply.json()["type"]) == (422, f"/problems/{slug}")


@pytest.mark.parametrize("address", ["/v1/faces", "/v1/grids"])
def test_digits_of_other_scripts_are_no_strength(web: Web, address: str) -> None:
    """The framework's patterns took them for digits, and reading them ended in a 500."""
    reply = web.client.get(f"{address}?smile=\u0663")
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid-parameter")


@pytest.mark.parametrize("address", ["/v1/faces/7.jpg?smile=1", "/v1/morphs?from=1&to=2&smile=1", "/v1/grids?smile=1"])
def test_what_means_the_directions_of_the_moment_is_asked_for_again(web: Web, address: str) -> None:
    """It was kept for a year: found again, directions were not seen, and the kept `Content-Location` was gone."""
    web.painter.answer = lambda _: JobResult(b"picture", "image/png")
    headers = web.client.head(address).headers
    assert headers["Cache-Control"] == "public, no-cache"
    assert web.client.head(address, headers={"If-None-Match": headers["ETag"]}).status_code == 304
    assert "immutable" in web.client.head(headers["Content-Location"]).headers["Cache-Control"]
    assert "immutable" in web.client.head(address.replace("smile=1", "smile=0")).headers["Cache-Control"]
