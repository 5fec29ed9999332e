"""GET /v1/grids: what it asks of the worker, its address, its limits; and real ones, over both queues."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.access.cost import Prices
from app.config import AppConfig
from app.ordering import Ordering
from app.web import create_app
from jobs.contract import GridJob, JobOutcome, JobResult, PictureFormat
from jobs.queue import DEFAULT_POLICY
from models.catalogue import Catalogue, ModelEntry
from models.directions import Directions
from tests.app.conftest import MakeWeb, Web
from tests.app.service import manifest, serving, until
from tests.app.translating import ends, working
from tests.some_directions import catalogue_of_one, model_with_directions, some_directions
from tests.tiny_model import TINY

MOVED = manifest(num_ws=8)
KNOWN = Directions(some_directions(), "0123abcd")
SHELF = Catalogue({"faces": ModelEntry(MOVED, Path(), "bundled", KNOWN)})
MOST = 2**64 - 1


def sheet(job: object) -> JobOutcome:
    """A worker's answer; the bytes are of no concern to the web."""
    assert isinstance(job, GridJob)
    return JobResult(b"faces of " + str(job.seeds).encode(), job.format.media_type)


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    web = make_web(models=(MOVED,), shelf=SHELF)
    web.painter.answer = sheet
    return web


def last(web: Web) -> GridJob:
    job = web.painter.done[-1].job
    assert isinstance(job, GridJob)
    return job


def test_without_a_word_the_first_sixteen(web: Web) -> None:
    reply = web.client.get("/v1/grids")
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "image/jpeg"
    assert "immutable" in reply.headers["Cache-Control"]
    job = last(web)
    assert (job.seeds, job.columns, job.sweep) == (tuple(range(16)), 4, ())
    assert (job.truncation_psi, job.size, job.format, job.model) == (0.7, 64, PictureFormat.JPEG, MOVED.digest)


@pytest.mark.parametrize(
    ("query", "seeds", "columns"),
    [
        ("seed=7&count=5", (7, 8, 9, 10, 11), 3),
        ("seeds=3,1,2", (3, 1, 2), 2),
        ("seeds=3&columns=9", (3,), 1),
        ("seed=18446744073709551614&count=2&columns=1", (MOST - 1, MOST), 1),
    ],
)
def test_which_faces_and_how_they_stand(web: Web, query: str, seeds: tuple[int, ...], columns: int) -> None:
    assert web.client.get(f"/v1/grids?{query}").status_code == 200
    assert (last(web).seeds, last(web).columns) == (seeds, columns)


@pytest.mark.parametrize(
    "query",
    [
        "seed=7&count=5&columns=5&size=32&format=png&mix=9:0-3",
        "seeds=2,18446744073709551615,2&truncation_psi=1&format=webp",
        "seed=4&count=2&smile=-2..3&steps=7&keep=age",
        "seed=4&count=2&smile=0..3&age=1.5",
        "seed=4&count=1&hue=-1.25..0",
    ],
)
def test_its_address_is_permanent(web: Web, query: str) -> None:
    reply = web.client.get(f"/v1/grids?{query}")
    assert reply.status_code == 200, reply.text
    job, address = last(web), reply.headers["Content-Location"]
    assert f"model={MOVED.digest}" in address
    assert all(part.partition("=")[0] in address for part in query.split("&"))
    again = web.client.get(address)
    assert (again.headers["ETag"], again.headers["Content-Location"]) == (reply.headers["ETag"], address)
    assert last(web) == job
    made = len(web.painter.done)
    assert web.client.get(address, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
    assert len(web.painter.done) == made
    assert web.client.get(f"{address}&rotate=0").headers["ETag"] == reply.headers["ETag"], "which changes nothing"
    other = address.replace("truncation_psi=0.7", "truncation_psi=0.6").replace("truncation_psi=1", "truncation_psi=0")
    assert web.client.get(other).headers["ETag"] != reply.headers["ETag"]


def test_one_attribute_moves_over_the_rows(web: Web) -> None:
    assert web.client.get("/v1/grids?seed=4&smile=-2..3&age=1.5&keep=hue").status_code == 200
    job = last(web)
    assert (job.seeds, job.columns, job.sweep) == ((4, 5, 6, 7), 5, (("smile", -2.0, 3.0),))
    assert (job.edits, job.keep, job.directions) == ((("age", 1.5),), ("hue",), KNOWN.digest)
    assert job.count == 20


@pytest.mark.parametrize(
    ("query", "slug", "members"),
    [
        ("seeds=1,2&seed=3", "grid-unclear", {}),
        ("seeds=1,2&count=3", "grid-unclear", {}),
        ("smile=-1..1&age=0..1", "grid-unclear", {}),
        ("smile=-1..1&columns=3", "grid-unclear", {}),
        ("steps=3", "grid-unclear", {}),
        ("smile=1&steps=3", "grid-unclear", {}),
        ("seed=-1", "seed-out-of-range", {}),
        ("seed=", "seed-out-of-range", {}),
        ("seeds=1,18446744073709551616", "seed-out-of-range", {}),
        ("seed=18446744073709551615&count=2", "seed-out-of-range", {}),
        ("seeds=1,,2", "invalid-parameter", {}),
        ("count=257", "invalid-parameter", {"limit": {"maximum": 256}}),
        ("count=0", "invalid-parameter", {"limit": {"minimum": 1}}),
        ("columns=0", "invalid-parameter", {"limit": {"minimum": 1}}),
        ("smile=-1..1&steps=33", "invalid-parameter", {"limit": {"maximum": 32}}),
        ("seeds=" + ",".join(["7"] * 257), "grid-too-large", {"limit": 256}),
        ("count=9&smile=-1..1&steps=32", "grid-too-large", {"limit": 256}),
        ("count=256&columns=256&size=64", "grid-too-large", {"limit": 16_383}),
        ("smile=-2..4", "attribute-out-of-range", {}),
        ("smile=-1..1&keep=smile", "edit-refused", {}),
        ("format=gif", "invalid-parameter", {}),
        ("mix=9:0-10", "mix-refused", {}),
        ("beard=-1..1", "unknown-parameter", {"unknown": ["beard"]}),
        ("seed=1&seed=2", "repeated-parameter", {}),
    ],
)
def test_refusals(web: Web, query: str, slug: str, members: dict[str, object]) -> None:
    reply = web.client.get(f"/v1/grids?{query}")
    assert reply.status_code == 422, reply.text
    problem = reply.json()
    assert problem["type"] == f"/problems/{slug}", problem
    assert {name: problem[name] for name in members} == members
    assert web.painter.done == []


def test_what_is_unknown_is_told_with_what_is_known(web: Web) -> None:
    known = web.client.get("/v1/grids?colour=red").json()["known"]
    assert {"seed", "count", "seeds", "columns", "steps", "smile"} <= set(known)


def test_cells_times_pixels_are_limited(make_web: MakeWeb) -> None:
    web = make_web(models=(manifest(resolution=1024),))
    web.painter.answer = sheet
    reply = web.client.get("/v1/grids?count=17")
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/grid-too-large")
    assert reply.json()["limit"] == 16
    assert "1024 pixels may have 16 of them" in reply.json()["detail"]
    assert web.client.get("/v1/grids?count=17&size=512").status_code == 200
    # The places that stay empty are pixels as well: four rows of five.
    assert web.client.get("/v1/grids?count=16&columns=5").status_code == 422
    assert web.client.get("/v1/grids?count=16&columns=4").status_code == 200


def test_it_costs_as_much_as_its_faces(web: Web) -> None:
    assert web.client.get("/v1/grids?count=3&smile=-1..1&steps=32").status_code == 200
    prices = Prices(Ordering(AppConfig(), SHELF))
    assert prices.of(last(web)) == 3 * 32 * 64 * 64 // 256**2


def test_whoever_does_not_wait_is_told_the_address_of_the_job(web: Web) -> None:
    with web.held():
        begun = web.client.get("/v1/grids?count=2", headers={"Prefer": "respond-async"})
        assert begun.status_code == 202
        address = begun.headers["Location"]
    events = web.client.get(f"{address}/events", headers={"Accept": "text/event-stream"})
    assert "done" in events.text
    result = web.client.get(f"{address}/result")
    assert (result.headers["Content-Type"], result.content) == ("image/jpeg", b"faces of (0, 1)")


def test_the_same_as_a_job(web: Web) -> None:
    web.client.get("/v1/grids?seeds=1,18446744073709551615&smile=-2..3&steps=3&age=1&format=png&size=32&mix=9:0-3")
    by_address = last(web)
    look = {"size": 32, "mix": "9:0-3", "attributes": {"smile": [-2, 3], "age": 1}}
    asked = {"kind": "grid", "seeds": [1, "18446744073709551615"], "steps": 3, "format": "png", **look}
    reply = web.client.post("/v1/jobs", json=asked, headers={"Prefer": "wait=5"})
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/png"), reply.text
    assert last(web) == by_address
    assert web.client.post("/v1/jobs", json={"kind": "grid", "seed": 5}).status_code == 202
    for wish, slug in (
        ({"seed": 1}, "grid-unclear"),
        ({"columns": 2}, "grid-unclear"),
        ({"seeds": []}, "invalid-parameter"),
        ({"seeds": [1, -2]}, "seed-out-of-range"),
        ({"seeds": ["18446744073709551615"] * 60}, "grid-too-large"),
        ({"seeds": list(range(100))}, "grid-too-large"),
        ({"attributes": {"smile": [-9, 3]}}, "attribute-out-of-range"),
        ({"format": "gif"}, "invalid-parameter"),
        ({"rows": 3}, "invalid-parameter"),
    ):
        refused = web.client.post("/v1/jobs", json={**asked, **wish})
        assert refused.json()["type"] == f"/problems/{slug}", refused.text


@pytest.fixture(scope="module")
def moved(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    store = tmp_path_factory.mktemp("gridded")
    model_with_directions(tiny_model, store)
    return catalogue_of_one(store, tmp_path_factory.mktemp("nothing"))[0]


@pytest.fixture(scope="module", params=["memory", "redis"])
def client(request: pytest.FixtureRequest, moved: Catalogue) -> Iterator[httpx.Client]:
    queue = "memory"
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.flush()
        queue = server.url
    submitter, source = ends(queue, DEFAULT_POLICY)
    web = create_app(AppConfig(default_model=TINY, ready_faces=0), submitter, moved)
    with working(moved, source), serving(web) as client:
        until(lambda: client.get("/readyz").status_code == 200, timeout_s=60)
        yield client


def pixels(reply: httpx.Response) -> np.ndarray:
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content)).convert("RGB")).astype(int)


def test_cells_are_the_faces_of_their_own_addresses(client: httpx.Client) -> None:
    drawn = pixels(client.get("/v1/grids?seeds=5,9,7&columns=2&format=png"))
    assert drawn.shape == (64, 64, 3)
    for seed, (row, column) in ((5, (0, 0)), (9, (0, 1)), (7, (1, 0))):
        alone = pixels(client.get(f"/v1/faces/{seed}.png"))
        cell = drawn[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
        assert np.abs(cell - alone).max() <= 1
    assert (drawn[32:, 32:] == 255).all()


def test_a_row_goes_from_one_strength_to_the_other(client: httpx.Client) -> None:
    begun = client.get("/v1/grids?seeds=5,9&smile=-2..3&steps=3&age=1&format=png", headers={"Prefer": "respond-async"})
    assert begun.status_code == 202, begun.text
    address = begun.headers["Location"]
    until(lambda: client.get(address).json()["state"] not in ("waiting", "running"), timeout_s=60)
    drawn = pixels(client.get(f"{address}/result"))
    assert drawn.shape == (64, 96, 3)
    for row, seed in enumerate((5, 9)):
        for column, smile in enumerate((-2, 0.5, 3)):
            alone = pixels(client.get(f"/v1/faces/{seed}.png?smile={smile}&age=1"))
            assert np.abs(drawn[32 * row : 32 * row + 32, 32 * column : 32 * column + 32] - alone).max() <= 1
