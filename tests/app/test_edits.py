"""Attributes in the address of a face, /v1/edits, /v1/attributes: what they answer and what they refuse."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.schemas import PageQuery, PermanentQuery
from app.translation_schemas import TranslationQuery
from jobs.contract import Delivery, EditJob, GenerateJob, JobOutcome, JobResult
from models.catalogue import Catalogue, ModelEntry
from models.directions import RESERVED, Directions
from tests.app.conftest import MakeWeb, Web
from tests.app.service import manifest, paint
from tests.some_directions import some_directions

PLAIN, MOVED = manifest("plain", sha256="b" * 64), manifest(num_ws=8)
KNOWN = Directions(some_directions(), "0123abcd")
PINNED = f"model={MOVED.digest}&truncation_psi=0.7"


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    """Two models, of which the default one has directions."""
    entries = {"faces": ModelEntry(MOVED, Path(), "bundled", KNOWN), "plain": ModelEntry(PLAIN, Path(), "bundled")}
    return make_web(models=(MOVED, PLAIN), shelf=Catalogue(entries))


def last(web: Web) -> GenerateJob | EditJob:
    job = web.painter.done[-1].job
    assert isinstance(job, GenerateJob | EditJob)
    return job


def test_edits_are_part_of_the_permanent_address(web: Web) -> None:
    reply = web.client.get("/v1/faces/7.jpg?smile=1.5&age=-2&keep=hue")
    assert reply.status_code == 200
    assert last(web).edits == (("age", -2.0), ("smile", 1.5))
    assert last(web).keep == ("hue",)
    address = reply.headers["Content-Location"]
    assert address == f"/v1/faces/7.jpg?{PINNED}&age=-2&smile=1.5&keep=hue&directions=0123abcd"
    assert reply.headers["Cache-Control"] == "public, no-cache"
    again = web.client.get(address)
    assert "immutable" in again.headers["Cache-Control"]
    assert again.headers["Content-Location"] == address
    assert again.headers["ETag"] == reply.headers["ETag"]
    made = len(web.painter.done)
    assert web.client.get(address, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
    assert len(web.painter.done) == made


def test_what_changes_nothing_is_the_plain_face(web: Web) -> None:
    plain = web.client.get("/v1/faces/7.png")
    for query in ("smile=0", "smile=-0.0", "keep=age", "smile=0&directions=00000000"):
        reply = web.client.get(f"/v1/faces/7.png?{query}")
        assert reply.headers["ETag"] == plain.headers["ETag"]
        assert reply.headers["Content-Location"] == plain.headers["Content-Location"]


def test_the_validator_knows_edits(web: Web) -> None:
    queries = ("", "?smile=1", "?smile=2", "?age=1", "?smile=1&age=1", "?smile=1&keep=age", "?smile=1&keep=hue")
    assert len({web.client.get(f"/v1/faces/7.png{query}").headers["ETag"] for query in queries}) == len(queries)


def test_a_new_face_may_smile(web: Web) -> None:
    reply = web.client.get("/face?smile=3&format=png&size=32")
    assert reply.status_code == 200
    assert last(web).edits == (("smile", 3.0),)
    assert "&smile=3&directions=0123abcd&size=32" in reply.headers["Content-Location"]
    assert web.client.get("/v1/faces/7?smile=1").status_code == 200


def test_the_page_of_an_edited_face(web: Web) -> None:
    page = web.client.get("/?seed=7&smile=2&utm_source=somewhere&gclid=17")
    assert page.status_code == 200
    assert last(web).edits == (("smile", 2.0),)
    assert f"/v1/faces/7.jpg?{PINNED}&smile=2&directions=0123abcd".replace("&", "&amp;") in page.text
    assert "/face?smile=2" in page.text
    assert web.client.get("/?seed=7&smile=99").status_code == 422


@pytest.mark.parametrize(
    ("query", "status", "slug", "members"),
    [
        ("smlie=1", 422, "unknown-parameter", {"unknown": ["smlie"]}),
        ("model=plain&smile=1", 422, "unknown-parameter", {"unknown": ["smile"]}),
        ("smile=3.5", 422, "attribute-out-of-range", {"limit": {"minimum": -2, "maximum": 3}}),
        ("smile=big", 422, "invalid-parameter", {}),
        ("smile=nan", 422, "invalid-parameter", {}),
        ("smile=", 422, "invalid-parameter", {}),
        ("smile=1&smile=2", 422, "repeated-parameter", {"repeated": ["smile"]}),
        ("smile=1&keep=smile", 422, "edit-refused", {}),
        ("smile=1&keep=pose", 422, "edit-refused", {}),
        ("smile=1&keep=Hue", 422, "no-such-attribute", {"known": ["smile", "age", "hue", "pose"]}),
        ("smile=1&keep=grin", 422, "no-such-attribute", {"known": ["smile", "age", "hue", "pose"]}),
        ("smile=1&keep=a;b", 422, "invalid-parameter", {}),
        ("smile=1&directions=00000000", 404, "directions-gone", {"present": "0123abcd"}),
        ("model=cats&smile=1", 404, "model-not-found", {}),
    ],
)
def test_refusals(web: Web, query: str, status: int, slug: str, members: dict[str, object]) -> None:
    for address in ("/face", "/v1/faces/7.png", "/v1/faces/7"):
        reply = web.client.get(f"{address}?{query}")
        assert reply.status_code == status, reply.text
        problem = reply.json()
        assert problem["type"] == f"/problems/{slug}"
        assert {name: problem[name] for name in members} == members
    assert web.painter.done == []


def test_a_refusal_lists_the_attributes(web: Web) -> None:
    known = web.client.get("/face?smlie=1").json()["known"]
    assert known[-4:] == ["smile", "age", "hue", "pose"]
    assert "truncation_psi" in known
    out = web.client.get("/face?smile=9").json()
    assert out["attributes"]["smile"] == {"minimum": -2, "maximum": 3}
    assert set(out["attributes"]) == set(KNOWN)


def test_addresses_without_faces_take_no_attributes(web: Web) -> None:
    for address in ("/v1/models", "/v1/attributes"):
        assert web.client.get(f"{address}?smile=1").json()["type"] == "/problems/unknown-parameter"


def test_attributes_are_listed(web: Web) -> None:
    listed = web.client.get("/v1/attributes").json()
    assert (listed["model"], listed["name"], listed["directions"]) == (MOVED.digest, "faces", "0123abcd")
    smile, age = listed["attributes"][:2]
    assert smile == {
        "name": "smile",
        "minimum": -2,
        "maximum": 3,
        "meaning": "from glum to glad",
        "method": "interfacegan",
        "space": "w",
        "layers": None,
        "accuracy": None,
        "measure": "",
    }
    assert (age["accuracy"], age["layers"]) == (0.9, [0, 4])
    assert web.client.get("/v1/attributes?model=plain").json()["attributes"] == []
    assert web.client.get("/v1/attributes?model=cats").status_code == 404


def test_an_edit_by_post_is_the_edit_of_the_address(web: Web) -> None:
    reply = web.client.post("/v1/edits", json={"seed": 7, "attributes": {"smile": 1.5}, "keep": ["age"]})
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "image/jpeg"
    recipe = json.loads(reply.headers["Personne-Recipe"])
    assert recipe["attributes"] == {"smile": 1.5}
    assert recipe["address"] == reply.headers["Content-Location"]
    assert (recipe["seed"], recipe["keep"], recipe["directions"]) == ("7", ["age"], "0123abcd")
    assert web.client.get(recipe["address"]).content == reply.content


def test_an_edit_as_json(web: Web) -> None:
    wanted = {"seed": str(2**64 - 1), "attributes": {"age": 2}, "size": 32, "format": "png", "model": MOVED.digest}
    reply = web.client.post("/v1/edits", json=wanted, headers={"Accept": "application/json"})
    document = reply.json()
    assert document["recipe"]["seed"] == str(2**64 - 1)
    head, data = document["picture"].split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == paint(web.painter.done[-1].job).body


@pytest.mark.parametrize(
    ("wanted", "status", "slug"),
    [
        ({}, 422, "seed-or-latent"),
        ({"seed": 7, "latent": "a"}, 422, "seed-or-latent"),
        ({"seed": -1}, 422, "seed-out-of-range"),
        ({"seed": True}, 422, "invalid-parameter"),
        ({"seed": 7, "attributes": {"smlie": 1}}, 422, "no-such-attribute"),
        ({"seed": 7, "attributes": {"Smile": 1}}, 422, "no-such-attribute"),
        ({"seed": 7, "attributes": {"smile": 1}, "keep": ["größe"]}, 422, "no-such-attribute"),
        ({"seed": 7, "attributes": {"smile": 4}}, 422, "attribute-out-of-range"),
        ({"seed": 7, "attributes": {"smile": "big"}}, 422, "invalid-parameter"),
        ({"seed": 7, "colour": "red"}, 422, "invalid-parameter"),
        ({"seed": 7, "truncation_psi": 2}, 422, "invalid-parameter"),
        ({"seed": 7, "size": 65}, 422, "size-out-of-range"),
        ({"seed": 7, "model": "cats"}, 404, "model-not-found"),
        ({"latent": "never-was"}, 404, "job-not-found"),
    ],
)
def test_edits_that_are_refused(web: Web, wanted: dict[str, object], status: int, slug: str) -> None:
    reply = web.client.post("/v1/edits", json=wanted)
    assert (reply.status_code, reply.json()["type"]) == (status, f"/problems/{slug}")
    assert web.painter.done == []


def test_a_body_that_is_no_json(web: Web) -> None:
    reply = web.client.post("/v1/edits", content=b"{", headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid-parameter")


WS = np.arange(10 * 32, dtype="<f4").reshape(10, 32)


def left_by(document: dict[str, object]) -> Callable[[GenerateJob], JobOutcome]:
    """An answer as an inversion's."""
    return lambda _: JobResult(json.dumps(document).encode(), "application/json")


def finished(web: Web, answer: Callable[[GenerateJob], JobOutcome]) -> str:
    """The id of a job that ended so, its result still kept."""
    web.painter.answer = answer
    web.client.post("/v1/edits", json={"seed": 1})
    web.painter.answer = paint
    return web.painter.done[-1].id


def test_a_stored_latent_is_edited(web: Web) -> None:
    latent = finished(web, left_by({"model": MOVED.digest, "ws": base64.b64encode(WS.tobytes()).decode()}))
    taken, seen = watched(web), []

    def look(_: object) -> JobOutcome:
        seen.append(dict(web.source.inputs(taken[-1])))
        return JobResult(b"a picture", "image/png")

    web.painter.answer = look
    reply = web.client.post("/v1/edits", json={"latent": latent, "attributes": {"smile": 1}, "format": "png"})
    assert (reply.status_code, reply.content) == (200, b"a picture")
    job = last(web)
    assert isinstance(job, EditJob)
    assert (job.model, job.edits, job.truncation_psi, job.size) == (MOVED.digest, (("smile", 1.0),), 1.0, 64)
    assert seen == [{"latent": WS.tobytes()}]
    recipe = json.loads(reply.headers["Personne-Recipe"])
    assert (recipe["latent"], recipe["seed"], recipe["address"]) == (latent, None, None)


def watched(web: Web) -> list[Delivery]:
    """Every delivery that the painter takes from now on, before it answers."""
    taken: list[Delivery] = []
    take = web.source.take

    def take_and_tell(*arguments: Any, **named: Any) -> list[Delivery]:
        deliveries = take(*arguments, **named)
        taken.extend(deliveries)
        return deliveries

    with web.held():
        web.source.take = take_and_tell  # type: ignore[method-assign]
    return taken


def test_what_is_no_latent(web: Web) -> None:
    picture = finished(web, paint)
    damaged = finished(web, left_by({"model": MOVED.digest, "ws": "!"}))
    gone = finished(web, left_by({"model": "0" * 16, "ws": ""}))
    for latent, status, slug in (
        (picture, 422, "no-latent"),
        (damaged, 422, "no-latent"),
        (gone, 404, "model-not-found"),
    ):
        reply = web.client.post("/v1/edits", json={"latent": latent})
        assert (reply.status_code, reply.json()["type"]) == (status, f"/problems/{slug}")


def test_no_attribute_is_called_as_a_parameter_is(web: Web) -> None:
    paths = web.client.get("/openapi.json").json()["paths"]
    parameters = {
        parameter["name"]
        for path in paths.values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    }
    for schema in (PermanentQuery, PageQuery, TranslationQuery):
        parameters |= {field.alias or name for name, field in schema.model_fields.items()}
    assert parameters - RESERVED == set()
    assert {"mix", "like", "from", "to", "frames", "latent", "photo"} <= RESERVED


def test_a_latent_is_drawn_by_no_other_model_than_its_own(web: Web) -> None:
    """The model that was asked for was passed over in silence."""
    latent = finished(web, left_by({"model": MOVED.digest, "ws": base64.b64encode(WS.tobytes()).decode()}))
    web.painter.answer = lambda _: JobResult(b"a picture", "image/jpeg")
    answers = {}
    for model in ("faces", MOVED.digest, "plain", "nobody"):
        reply = web.client.post("/v1/edits", json={"latent": latent, "model": model})
        answers[model] = reply.status_code
        if reply.status_code == 422:
            assert "no other can draw it" in reply.json()["detail"]
    assert answers == {"faces": 200, MOVED.digest: 200, "plain": 422, "nobody": 404}


def test_a_refusal_names_what_was_asked_and_not_how_it_was_checked(web: Web) -> None:
    for asked, name in (({"seed": 7.5}, "seed"), ({"seed": 7, "keep": [3]}, "keep")):
        problem = web.client.post("/v1/edits", json=asked).json()
        assert {one["parameter"] for one in problem["errors"]} == {name}
        assert problem["detail"].startswith(f"{name} should be")
