"""`mix=` in the address of a face, in POST /v1/edits and /v1/jobs, and on the page."""

import json

from jobs.contract import GenerateJob
from tests.app.conftest import Web
from tests.app.service import manifest

DIGEST = manifest().digest


def last(web: Web) -> GenerateJob:
    job = web.painter.done[-1].job
    assert isinstance(job, GenerateJob)
    return job


def test_a_mix_is_part_of_the_permanent_address(web: Web) -> None:
    reply = web.client.get("/v1/faces/7.jpg?mix=4:7,9:0-3")
    assert reply.status_code == 200
    assert last(web).mix == ((9, 0, 3, 1.0), (4, 7, 7, 1.0))
    address = reply.headers["Content-Location"]
    assert address == f"/v1/faces/7.jpg?model={DIGEST}&truncation_psi=0.7&mix=9:0-3%2C4:7"
    again = web.client.get(address)
    assert (again.headers["ETag"], again.headers["Content-Location"]) == (reply.headers["ETag"], address)
    assert last(web).mix == ((9, 0, 3, 1.0), (4, 7, 7, 1.0))
    made = len(web.painter.done)
    assert web.client.get(address, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
    assert len(web.painter.done) == made
    tags = {web.client.get(f"/v1/faces/7.jpg{query}").headers["ETag"] for query in ("", "?mix=9:0-3", "?mix=9:0-4")}
    assert len(tags) == 3


def test_new_and_listed_faces_take_a_mix(web: Web) -> None:
    assert "mix=9:0-3" in web.client.get("/face?mix=9:0-3").headers["Content-Location"]
    listed = web.client.get("/v1/faces?mix=9:0-3&count=2").json()["faces"]
    assert all("mix=9:0-3" in face["address"] and "mix=9:0-3" in face["page"] for face in listed)


def test_layers_that_the_model_lacks_are_refused(web: Web) -> None:
    for address in ("/face", "/v1/faces/7", "/v1/faces/7.png", "/v1/faces"):
        reply = web.client.get(f"{address}?mix=9:0-10")
        assert reply.status_code == 422
        problem = reply.json()
        assert problem["type"] == "/problems/mix-refused"
        assert problem["limit"] == {"minimum": 0, "maximum": 9}
        assert "layers from 0 to 9" in problem["detail"]
    assert web.painter.done == []


def test_edits_and_jobs_take_a_mix(web: Web) -> None:
    reply = web.client.post("/v1/edits", json={"seed": 7, "mix": "9:0-3"})
    assert json.loads(reply.headers["Personne-Recipe"])["mix"] == "9:0-3"
    assert "mix=9:0-3" in reply.headers["Content-Location"]
    made = web.client.post("/v1/jobs", json={"kind": "generate", "seed": 7, "mix": "9:2"}, headers={"Prefer": "wait=5"})
    assert made.status_code == 200
    assert last(web).mix == ((9, 2, 2, 1.0),)
    assert web.client.post("/v1/edits", json={"seed": 7, "mix": "9"}).json()["type"] == "/problems/mix-refused"


def test_the_page_shows_a_mixed_face(web: Web) -> None:
    page = web.client.get("/?seed=7&mix=9:0-3")
    assert page.status_code == 200
    assert last(web).mix == ((9, 0, 3, 1.0),)
    assert web.client.get("/?seed=7&mix=9:0-99").status_code == 422
