"""Several models behind one web: what each can be asked for, and where its faces stay."""

from collections.abc import Iterator

import pytest

from app.config import AppConfig
from models.catalogue import Catalogue
from models.manifest import GraphSpec, TranslatorManifest
from tests.app.conftest import MakeWeb, Web
from tests.app.service import catalogue, manifest, until

PLAIN = manifest()
ANIMALS = manifest("animals", sha256="b" * 64, c_dim=3, class_names=("cat", "dog", "wild"))
NUMBERED = manifest("numbered", sha256="c" * 64, c_dim=4)
MOVED = manifest("moved", sha256="d" * 64, family="stylegan3")
GROWN = manifest("grown", sha256="e" * 64, family="pggan")
MONET = TranslatorManifest(
    name="monet",
    family="cyclegan",
    graphs={"translation": GraphSpec(file="graph.onnx", sha256="f" * 64, bytes=1)},
    licence="BSD",
    origin="written for tests",
    input_nc=3,
    output_nc=3,
    ngf=8,
    size_multiple=4,
)
GENERATORS = (PLAIN, ANIMALS, NUMBERED, MOVED, GROWN)


class ChangingShelf:
    """A shelf that a test refills."""

    def __init__(self, now: Catalogue) -> None:
        self.now = now


@pytest.fixture
def many(make_web: MakeWeb) -> Iterator[Web]:
    return make_web(models=(*GENERATORS, MONET))


def test_a_class_by_number_or_by_name_is_one_address(many: Web) -> None:
    by_name, by_number = (many.client.get(f"/v1/faces/7.png?model=animals&class={one}").headers for one in ("dog", "1"))
    assert [delivery.job.label for delivery in many.painter.done] == [1, 1]
    expected = f"/v1/faces/7.png?model={ANIMALS.digest}&class=1&truncation_psi=0.7"
    assert by_name["Content-Location"] == by_number["Content-Location"] == expected
    assert by_name["ETag"] == by_number["ETag"] == f'W/"{ANIMALS.digest}-7-0.7-64-png-class1-m1"'
    assert many.client.get(expected).headers["Content-Location"] == expected


def test_without_a_class_the_seed_draws_one_and_the_address_names_none(many: Web) -> None:
    headers = many.client.get("/v1/faces/7.png?model=animals").headers
    assert many.painter.done[0].job.label is None
    assert "class" not in headers["Content-Location"]


@pytest.mark.parametrize(
    ("model", "wanted", "largest"), [("animals", "horse", 2), ("animals", "3", 2), ("numbered", "4", 3)]
)
def test_a_class_that_there_is_not_is_refused_with_the_limits(many: Web, model: str, wanted: str, largest: int) -> None:
    reply = many.client.get(f"/face?model={model}&class={wanted}")
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/no-such-class")
    assert reply.json()["limit"] == {"minimum": 0, "maximum": largest}
    assert f"from 0 to {largest}" in reply.json()["detail"]
    assert ("cat, dog, wild" in reply.json()["detail"]) == (model == "animals")


@pytest.mark.parametrize(
    ("query", "parameter", "able"),
    [
        ("class=1", "class", ["animals", "numbered"]),
        ("rotate=5", "rotate", ["moved"]),
        ("translate_y=0.1", "translate_y", ["moved"]),
        ("model=grown&truncation_psi=0.5", "truncation_psi", ["animals", "faces", "moved", "numbered"]),
    ],
)
def test_what_a_model_cannot_do_is_said_with_those_that_can(
    many: Web, query: str, parameter: str, able: list[str]
) -> None:
    for address in ("/face", "/v1/faces/7.png", "/v1/faces"):
        problem = many.client.get(f"{address}?{query}").json()
        assert (problem["type"], problem["status"]) == ("/problems/model-cannot", 422), address
        assert (problem["parameter"], problem["able"]) == (parameter, able)
        assert all(name in problem["detail"] for name in able)


def test_turned_and_moved_for_ever(many: Web) -> None:
    headers = many.client.get("/v1/faces/7.jpg?model=moved&rotate=-12.5&translate_x=0.25&translate_y=-0.0").headers
    expected = f"/v1/faces/7.jpg?model={MOVED.digest}&truncation_psi=0.7&rotate=-12.5&translate_x=0.25"
    assert headers["Content-Location"] == expected
    assert headers["ETag"] == f'W/"{MOVED.digest}-7-0.7-64-jpg--12.5_0.25_0-m1"'
    job = many.painter.done[0].job
    assert (job.rotate, job.translate_x, job.translate_y) == (-12.5, 0.25, 0.0)
    tags = {
        many.client.get(f"/v1/faces/7.jpg?model=moved{query}").headers["ETag"]
        for query in ("", "&rotate=1", "&rotate=-1", "&translate_x=1", "&translate_y=1", "&rotate=1&translate_x=1")
    }
    assert len(tags) == 6


def test_no_movement_is_the_plain_face_of_every_model(many: Web) -> None:
    for model in ("faces", "moved"):
        plain = many.client.get(f"/v1/faces/7.png?model={model}").headers
        still = many.client.get(f"/v1/faces/7.png?model={model}&rotate=-0.0&translate_x=0&translate_y=0").headers
        assert (plain["ETag"], plain["Content-Location"]) == (still["ETag"], still["Content-Location"])


def test_a_model_without_a_mean_face_is_not_truncated(many: Web) -> None:
    headers = many.client.get("/v1/faces/7.png?model=grown").headers
    assert many.painter.done[0].job.truncation_psi == 1.0
    assert many.client.get(headers["Content-Location"]).headers["ETag"] == headers["ETag"]


def test_drawn_faces_keep_what_was_asked(many: Web) -> None:
    (face,) = many.client.get("/v1/faces?count=1&model=animals&class=wild").json()["faces"]
    assert "&class=2&" in face["address"]
    assert "&class=2&" in face["page"]
    assert many.client.get(face["page"]).status_code == 200


def test_a_translator_generates_no_faces(many: Web) -> None:
    reply = many.client.get("/face?model=monet")
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/wrong-kind-of-model")


def test_models_say_what_they_are_and_can_and_who_serves_them(make_web: MakeWeb) -> None:
    web = make_web(models=(*GENERATORS, MONET), served=(PLAIN, ANIMALS), warm=(PLAIN,))
    listed = {model["name"]: model for model in web.client.get("/v1/models").json()["models"]}
    assert listed["faces"]["default"] is True
    assert (listed["faces"]["digest"], listed["faces"]["resolution"]) == (PLAIN.digest, 64)
    assert listed["faces"]["can"] == {"truncation": True, "labels": None, "transform": False, "inversion": []}
    assert listed["animals"]["can"]["labels"] == {"count": 3, "names": ["cat", "dog", "wild"]}
    assert listed["numbered"]["can"]["labels"] == {"count": 4, "names": []}
    assert listed["moved"]["can"]["transform"] is True
    assert listed["grown"]["can"]["truncation"] is False
    assert (listed["monet"]["kind"], listed["monet"]["can"]) == ("translator", None)
    assert {model["kind"] for name, model in listed.items() if name != "monet"} == {"generator"}
    assert listed["faces"]["workers"] == [{"id": "painter", "device": "cpu", "warm": True}]
    assert listed["animals"]["workers"] == [{"id": "painter", "device": "cpu", "warm": False}]
    assert listed["moved"]["workers"] == []
    assert web.client.get("/face?model=animals").status_code == 200, "whoever can be asked for it opens it"
    assert web.client.get("/face?model=moved").json()["type"] == "/problems/model-not-loaded"


def test_only_a_warm_default_model_is_ready(make_web: MakeWeb) -> None:
    web = make_web(models=(PLAIN, ANIMALS), warm=(ANIMALS,))
    until(lambda: bool(web.client.get("/v1/models").json()["models"][0]["workers"]))
    assert web.client.get("/readyz").status_code == 503


def test_a_model_comes_and_goes_while_the_web_runs(make_web: MakeWeb) -> None:
    shelf = ChangingShelf(catalogue(PLAIN))
    web = make_web(shelf=shelf, served=(PLAIN, ANIMALS))
    assert web.client.get("/face?model=animals").status_code == 404
    shelf.now = catalogue(PLAIN, ANIMALS)
    reply = web.client.get("/face?model=animals")
    assert reply.status_code == 200
    assert len(web.client.get("/v1/models").json()["models"]) == 2
    shelf.now = catalogue(PLAIN)
    for address in ("/face?model=animals", reply.headers["Content-Location"]):
        assert web.client.get(address).json()["type"] == "/problems/model-not-found"


def test_the_pool_follows_a_replaced_default_model_and_waits_for_a_missing_one(make_web: MakeWeb) -> None:
    newer = manifest(sha256="9" * 64)
    shelf = ChangingShelf(catalogue(PLAIN))
    web = make_web(AppConfig(ready_faces=4), shelf=shelf, served=(PLAIN, newer))
    until(lambda: web.metric("personne_ready_faces") == 4)
    shelf.now = catalogue(newer)
    assert {web.client.get("/face").headers["Personne-Model"] for _ in range(3)} == {newer.digest}
    until(lambda: web.metric("personne_ready_faces") == 4)
    shelf.now = catalogue(ANIMALS)
    assert web.client.get("/face").status_code == 404
    assert web.client.get("/readyz").json()["type"] == "/problems/model-not-loaded"
    shelf.now = catalogue(newer)
    assert web.client.get("/face").status_code == 200
