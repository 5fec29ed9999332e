"""What is refused, how fast, and in which words."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import app.errors
import jobs.errors
import models.errors
from app.config import AppConfig
from app.errors import ALL_PROBLEMS, PROBLEMS
from app.schemas import PermanentQuery
from app.web import create_app
from jobs.contract import Lane
from jobs.queue import DEFAULT_POLICY
from models.errors import ModelNotFound
from tests.app.conftest import NO_POOL, MakeWeb, Web, submitter_and_source
from tests.app.service import Painter, catalogue, failing, manifest, serving, until


def leaves(module: object) -> set[type[Exception]]:
    """Every error of a floor that is raised as itself."""
    classes = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Exception)]
    # Subclasses elsewhere (a store's own refusals, say) are no concern of the web.
    return {c for c in classes if not set(c.__subclasses__()) & set(classes)}


def test_no_error_is_missing_from_the_table() -> None:
    # A lost lease is met by a worker alone, which then puts the job away.
    met = leaves(app.errors) | leaves(jobs.errors) - {jobs.errors.LeaseLost} | leaves(models.errors)
    assert met == set(PROBLEMS)
    assert len({problem.slug for problem in ALL_PROBLEMS}) == len(ALL_PROBLEMS)


def test_unknown_parameters_are_refused_with_the_known_ones(web: Web) -> None:
    problem = web.client.get("/face?seed=7&colour=blue").json()
    assert problem["type"] == "/problems/unknown-parameter"
    assert problem["unknown"] == ["seed", "colour"]
    assert problem["known"] == [*list(PermanentQuery.model_json_schema()["properties"]), "format"]
    for address in ("/v1/models", "/livez", "/readyz", "/metrics", "/v1/faces/7.png", "/v1/faces/7", "/v1/faces"):
        assert web.client.get(f"{address}?colour=blue").status_code == 422, address


def test_a_parameter_given_twice_is_refused(web: Web) -> None:
    assert web.client.get("/face?size=16&size=32").json()["type"] == "/problems/repeated-parameter"


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("size=15", {"minimum": 16}),
        ("size=65", {"minimum": 16, "maximum": 64}),
        ("size=99999999999999999999", {"maximum": 4096}),
        ("truncation_psi=1.01", {"maximum": 1}),
        ("truncation_psi=-0.01", {"minimum": 0}),
        ("rotate=180.5", {"maximum": 180}),
        ("translate_x=-1.1", {"minimum": -1}),
        ("format=gif", {"one_of": "'jpg', 'png' or 'webp'"}),
    ],
)
def test_a_refusal_names_the_limit(web: Web, query: str, limit: dict[str, object]) -> None:
    reply = web.client.get(f"/face?{query}")
    assert reply.status_code == 422
    assert reply.json()["limit"] == limit
    assert query.split("=", maxsplit=1)[0] in reply.json()["detail"]


@pytest.mark.parametrize(
    "query", ["truncation_psi=nan", "truncation_psi=inf", "rotate=nan", "class=", "size=big", "size=", "size=32.5"]
)
def test_what_is_no_number_is_refused(web: Web, query: str) -> None:
    assert web.client.get(f"/face?{query}").json()["type"] == "/problems/invalid-parameter"


def test_an_unknown_model_is_404_with_the_known_ones(web: Web) -> None:
    reply = web.client.get("/face?model=cats")
    assert reply.status_code == 404
    assert reply.json()["known"] == ["faces"]


def test_without_its_default_model_the_web_does_not_start() -> None:
    submitter, _ = submitter_and_source(DEFAULT_POLICY)
    with pytest.raises(ModelNotFound, match="no model 'faces'"):
        create_app(AppConfig(), submitter, catalogue(manifest("other")))


def test_other_addresses_and_methods_are_problems_too(web: Web) -> None:
    missing = web.client.get("/v2/face")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    posted = web.client.post("/face")
    assert (posted.status_code, posted.json()["type"]) == (405, "/problems/method-not-allowed")
    assert posted.headers["Allow"] == "GET, HEAD"
    assert web.client.post(f"/v1/jobs/{'0' * 32}").headers["Allow"] == "DELETE, GET, HEAD", (
        "all that the address answers"
    )


def test_a_full_queue_is_refused_at_once(make_web: MakeWeb) -> None:
    web = make_web(policy=replace(DEFAULT_POLICY, lane_caps={**DEFAULT_POLICY.lane_caps, Lane.QUICK: 2}))
    with web.held(), ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(web.client.get, "/face") for _ in range(2)]
        until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 2)
        began = time.perf_counter()
        refused = web.client.get("/face")
        # Whoever is let in waits for five seconds here.
        assert time.perf_counter() - began < 2.5
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "2"
        assert refused.json()["limit"] == 2
        assert refused.json()["type"] == "/problems/queue-full"
        page = web.client.get("/")
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "2"
        assert "Try again" in page.text
        web.painter.holding.clear()
        assert [future.result().status_code for future in waiting] == [200, 200]


def test_without_a_worker_that_has_the_model_it_is_not_loaded(make_web: MakeWeb) -> None:
    web = make_web(working=False)
    for address in ("/face", "/v1/faces/7.png", "/readyz"):
        reply = web.client.get(address)
        assert reply.status_code == 503, address
        assert reply.json()["type"] == "/problems/model-not-loaded"
        assert "Retry-After" in reply.headers
    assert web.client.get("/livez").json() == {"status": "alive"}
    with Painter(web.source, ("0" * 16,)):
        time.sleep(0.3)
        assert web.client.get("/readyz").status_code == 503
    with web.painter:
        until(lambda: web.client.get("/readyz").status_code == 200)
        assert web.client.get("/face").status_code == 200


@pytest.mark.parametrize(
    ("code", "status", "problem"),
    [
        ("model-not-loaded", 503, "model-not-loaded"),
        ("job-failed", 500, "job-failed"),
        ("model-refused", 500, "model-refused"),
        ("cancelled", 503, "job-cancelled"),
        ("deadline-passed", 504, "timed-out"),
        ("something-new", 500, "job-failed"),
    ],
)
def test_each_failure_has_its_status(web: Web, code: str, status: int, problem: str) -> None:
    web.painter.answer = failing(code, "The engine gave this up.")
    reply = web.client.get("/face")
    assert reply.status_code == status
    assert reply.json()["type"] == f"/problems/{problem}"
    if problem in {"job-failed", "model-refused"}:
        assert reply.json()["detail"] == "The engine gave this up."


def test_a_job_that_lost_its_last_worker_says_so_at_its_address(web: Web) -> None:
    web.painter.answer = failing("model-not-loaded", "No worker here serves it.")
    begun = web.client.post("/v1/jobs", json={"kind": "generate", "seed": "7"}).headers["Location"]
    until(lambda: web.client.get(begun).json()["state"] == "failed")
    assert web.client.get(begun).json()["problem"]["type"] == "/problems/model-not-loaded"
    reply = web.client.get(f"{begun}/result")
    assert (reply.status_code, reply.json()["type"]) == (503, "/problems/model-not-loaded")


def test_a_job_that_nobody_took_in_time_says_so_at_its_address(web: Web) -> None:
    """Found by schemathesis: it was an error of the server."""
    web.painter.answer = failing("deadline-passed", "Nobody took the job before its deadline.")
    begun = web.client.post("/v1/jobs", json={"kind": "generate", "seed": "7"}).headers["Location"]
    until(lambda: web.client.get(begun).json()["state"] == "failed")
    reply = web.client.get(f"{begun}/result")
    assert (reply.status_code, reply.json()["type"]) == (504, "/problems/timed-out")
    assert "limit" not in reply.json()


def test_what_is_not_made_in_time_is_504_and_leaves_the_queue(make_web: MakeWeb) -> None:
    web = make_web(replace(NO_POOL, request_timeout_s=0.3))
    with web.held():
        reply = web.client.get("/face")
        assert reply.status_code == 504
        assert reply.json()["limit"] == 0.3
        until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 0)


def test_a_client_that_leaves_takes_its_job_along(web: Web) -> None:
    with web.held():
        leaving = http.client.HTTPConnection(web.client.base_url.host, web.client.base_url.port or 80)
        leaving.request("GET", "/face")
        until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 1)
        leaving.close()
        until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 0, timeout_s=4.0)
    assert web.client.get("/face").status_code == 200
    assert len(web.painter.done) == 1


def test_a_dead_queue_is_503_within_about_a_second(silent_web: Web) -> None:
    for address in ("/face", "/v1/faces/7.png", "/readyz", "/"):
        began = time.perf_counter()
        reply = silent_web.client.get(address)
        # A busy test machine is given more.
        assert time.perf_counter() - began < 3
        assert reply.status_code == 503, address
        assert reply.headers["Retry-After"] == "2"
    assert silent_web.client.get("/face").json()["type"] == "/problems/queue-unavailable"
    assert silent_web.client.get("/livez").status_code == 200
    assert silent_web.metric("personne_queue_up") == 0
    assert silent_web.client.get("/v1/models").json()["models"][0]["workers"] is None


NAMES = st.sampled_from(
    ["model", "truncation_psi", "size", "class", "rotate", "translate_x", "format", "count", "seed", "x"]
) | st.text(max_size=5)
VALUES = (
    st.text(max_size=12)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(["jpg", "png", "webp", "faces", "16", "64", "0.7", "1", ""])
)


@pytest.fixture(scope="module")
def one_web() -> Iterator[httpx.Client]:
    submitter, source = submitter_and_source(DEFAULT_POLICY)
    models = catalogue(manifest())
    with serving(create_app(NO_POOL, submitter, models)) as client, Painter(source, (manifest().digest,)):
        yield client


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/face", "/v1/faces", "/v1/faces/7", "/v1/faces/7.png", "/v1/models", "/livez", "/"]),
    query=st.lists(st.tuples(NAMES, VALUES), max_size=4),
    accept=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)
def test_no_query_makes_the_service_fail(
    one_web: httpx.Client, path: str, query: list[tuple[str, str]], accept: str
) -> None:
    reply = one_web.get(path, params=query, headers={"Accept": accept.strip()})
    assert reply.status_code < 500
    if reply.status_code >= 400 and path != "/":
        problem = reply.json()
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert problem["detail"]
        assert problem["status"] == reply.status_code


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rest=st.text(max_size=20))
def test_no_seed_makes_the_service_fail(one_web: httpx.Client, rest: str) -> None:
    assert one_web.get(f"/v1/faces/{quote(rest)}").status_code < 500
