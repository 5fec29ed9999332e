"""The frozen surface: addresses, their description, their headers, their documentation."""

import re
from pathlib import Path

from app.errors import ALL_PROBLEMS
from tests.app.conftest import Web
from tests.app.service import manifest

ROOT = Path(__file__).parents[2]
API_DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

# Changed on purpose only: each of these is a promise to somebody.
LOOK = ["model", "truncation_psi", "size", "class", "rotate", "translate_x", "translate_y", "keep", "directions", "mix"]
ADDRESSES = {
    "/": [],
    "/docs": [],
    "/face": [*LOOK, "format", "attributes"],
    "/livez": [],
    "/metrics": [],
    "/openapi.json": [],
    "/privacy": [],
    "/problems/{slug}": [],
    "/readyz": [],
    "/v1/faces": [*LOOK, "format", "count", "like", "attributes"],
    "/v1/attributes": ["model"],
    "/v1/edits": [],
    "/v1/faces/{seed}": [*LOOK, "format", "attributes"],
    "/v1/faces/{seed}.{extension}": [*LOOK, "attributes"],
    "/teach": [],
    "/v1/datasets": [],
    "/v1/directions": [],
    "/v1/directions/{direction}": [],
    "/v1/directions/{direction}/file": [],
    "/v1/inversions": ["model", "method", "space", "face", "landmarks"],
    "/v1/inversions/{latent}": [],
    "/v1/inversions/{latent}/picture": ["size", "format"],
    "/v1/morphs": [*LOOK, "from", "to", "seeds", "frames", "fps", "loop", "format", "attributes"],
    "/v1/grids": [*LOOK, "seed", "count", "seeds", "columns", "steps", "format", "attributes"],
    "/v1/jobs": [],
    "/v1/jobs/{job_id}": [],
    "/v1/jobs/{job_id}/events": [],
    "/v1/jobs/{job_id}/result": [],
    "/v1/models": [],
    "/v1/shares": ["address", "seconds"],
    "/v1/styles": [],
    "/v1/styles/{digest}/{moment}.jpg": [],
    "/v1/translations": ["style", "strength", "size", "format", "seed"],
    "/v1/verify": [],
    "/verify": [],
}
METHODS = {
    "/v1/datasets": {"post"},
    "/v1/directions": {"post"},
    "/v1/directions/{direction}": {"get", "delete"},
    "/v1/edits": {"post"},
    "/v1/inversions": {"post"},
    "/v1/inversions/{latent}": {"get", "delete"},
    "/v1/jobs": {"post"},
    "/v1/jobs/{job_id}": {"get", "delete"},
    "/v1/shares": {"post"},
    "/v1/translations": {"post"},
    "/v1/verify": {"post"},
}
OF_THE_MOMENT = (
    "/v1/datasets",
    "/v1/directions",
    "/v1/edits",
    "/v1/inversions",
    "/v1/jobs",
    "/v1/morphs",
    "/v1/shares",
    "{job_id}",
    "{digest}",
    "/v1/translations",
    "/v1/verify",
)
"""Addresses that answer only those who have made something first, or who say what they want."""
HTML = {"/", "/docs", "/privacy", "/problems/{slug}", "/openapi.json", "/teach", "/verify"}


def test_the_described_addresses_are_these(web: Web) -> None:
    paths = web.client.get("/openapi.json").json()["paths"]
    described = {
        path: [p["name"] for p in next(iter(item.values())).get("parameters", []) if p["in"] == "query"]
        for path, item in paths.items()
    }
    assert described == {path: names for path, names in ADDRESSES.items() if path not in HTML}
    assert {path: set(item) for path, item in paths.items()} == {path: METHODS.get(path, {"get"}) for path in paths}


def test_every_address_answers(web: Web) -> None:
    filled = [
        path.replace("{seed}", "7").replace("{extension}", "png").replace("{slug}", "queue-full")
        for path in ADDRESSES
        if not any(part in path for part in OF_THE_MOMENT)
    ]
    assert {path: web.client.get(path).status_code for path in filled} == dict.fromkeys(filled, 200)
    assert {path: web.client.head(path).status_code for path in filled} == dict.fromkeys(filled, 200)


def test_every_address_parameter_problem_and_metric_is_documented(web: Web) -> None:
    for path, names in ADDRESSES.items():
        assert f"`{path}`" in API_DOCUMENT
        for name in names:
            assert f"| `{name}` |" in API_DOCUMENT
    for problem in ALL_PROBLEMS:
        assert f"| `{problem.slug}` | {problem.status} |" in API_DOCUMENT
    metrics = set(re.findall(r"^# TYPE (\w+) ", web.client.get("/metrics").text, re.MULTILINE))
    undocumented = {name for name in metrics if f"`{name}`" not in API_DOCUMENT and not name.endswith("_created")}
    assert undocumented == set()


def test_the_description_is_complete(web: Web) -> None:
    paths = web.client.get("/openapi.json").json()["paths"]
    for path, operation in ((path, operation) for path, item in paths.items() for operation in item.values()):
        assert operation["summary"], path
        assert operation["description"], path
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, parameter["name"])
            assert parameter.get("examples") or parameter["schema"].get("examples"), (path, parameter["name"])
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json"}, (path, status)
                assert answer["content"]["application/problem+json"]["examples"], (path, status)


def test_every_problem_that_a_picture_can_meet_is_described(web: Web) -> None:
    responses = web.client.get("/openapi.json").json()["paths"]["/face"]["get"]["responses"]
    assert set(responses) == {"200", "403", "404", "406", "422", "429", "500", "503", "504"}
    examples = responses["503"]["content"]["application/problem+json"]["examples"]
    assert {"queue-full", "queue-unavailable", "model-not-loaded"} <= set(examples)


def test_each_problem_type_has_a_page(web: Web) -> None:
    for problem in ALL_PROBLEMS:
        page = web.client.get(problem.uri)
        assert page.status_code == 200
        assert problem.title in page.text
    assert web.client.get("/problems/none-such").status_code == 404


def test_the_reference_needs_nobody_else(web: Web) -> None:
    page = web.client.get("/docs").text
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert "<script" not in page
    assert "<code>Content-Location</code> says where" in page
    for path in ADDRESSES:
        if path not in HTML:
            assert all(f"{method.upper()} {path}" in page for method in METHODS.get(path, {"get"}))
    example_links = re.findall(r'Try <a href="([^"]+)"', page)
    clickable = [path for path in ADDRESSES if path not in HTML and not any(part in path for part in OF_THE_MOMENT)]
    assert len(example_links) == len(clickable)
    assert {web.client.get(link).status_code for link in example_links} == {200}


def test_every_answer_carries_the_guarding_headers(web: Web) -> None:
    for address in ("/", "/face", "/livez", "/nope", "/face?x=1", "/docs", "/v1/models"):
        headers = web.client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';"), address
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        expected = "cross-origin" if address == "/face" else "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == expected


def test_style_and_script_may_be_kept_for_ever(web: Web) -> None:
    links = re.findall(r'(?:src|href)="(/static/[^"]+)"', web.client.get("/").text)
    assert len(links) == 9
    for link in links:
        reply = web.client.get(link)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["Cache-Control"]
    gone = web.client.get("/static/000000000000/personne.css")
    assert gone.status_code == 404


def test_the_page_of_a_certain_face(web: Web) -> None:
    page = web.client.get("/?seed=7&utm_source=somewhere")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "Nobody" in page.text
    assert f"/v1/faces/7.jpg?model={manifest().digest}&amp;truncation_psi=0.7" in page.text
    for query in ("seed=seven", "seed=-1", "truncation_psi=2&seed=7", "model=Cats"):
        refused = web.client.get(f"/?{query}")
        assert refused.status_code == 422
        assert refused.headers["Content-Type"].startswith("text/html")
    assert web.client.get("/?seed=7&model=cats").status_code == 404


def test_nothing_from_the_query_gets_into_the_page_as_markup(web: Web) -> None:
    page = web.client.get("/", params={"seed": "<script>alert(1)</script>", "model": "'><img src=x>"})
    assert "<script>alert" not in page.text
    assert "<img src=x>" not in page.text
