"""What a request costs, as its answer tells it: by what is computed, and not by what is asked of the picture."""

import json
import re
from typing import Any

import httpx
import pytest

from models.manifest import GraphSpec
from personne.settings_access import DEFAULT_UNITS
from tests.app.conftest import MakeWeb
from tests.app.service import failing, manifest
from tests.app.test_limits import limited
from tests.photo_files import picture, saved

PLENTY = 1_000_000
GRAPH = GraphSpec(file="graph.onnx", sha256="c" * 64, bytes=1000)
LATER = {"Prefer": "respond-async"}
LARGE = saved(picture(size=(1600, 1200)), "PNG")
LARGE_UNITS, READING = 30, 2


def client_of(make_web: MakeWeb, units_per_minute: int, resolution: int = 64) -> httpx.Client:
    """Of a web whose worker takes jobs, and does none."""
    graphs: dict[str, Any] = {"inverters": {"encoder": GRAPH, "gradient": GRAPH}}
    web = make_web(limited(units_per_minute), models=(manifest(resolution=resolution, **graphs),))
    web.painter.answer = failing("job-failed", "Nobody looks at it.")
    return web.client


def cost(reply: httpx.Response) -> int:
    """Of the first request of a visitor."""
    assert reply.status_code == 202, reply.text
    found = re.search(r";r=(\d+);", reply.headers["RateLimit"])
    assert found
    return PLENTY - int(found[1])


@pytest.mark.parametrize("wish", [{}, {"paste": True}, {"size": 16}])
def test_an_edited_photo_costs_as_much_as_it_has_pixels(make_web: MakeWeb, wish: dict[str, Any]) -> None:
    client = client_of(make_web, PLENTY)
    form = {"photo": LARGE, "edit": (None, json.dumps({"method": "encoder", **wish}))}
    assert cost(client.post("/v1/edits", files=form, headers=LATER)) == LARGE_UNITS + READING


@pytest.mark.parametrize(
    ("method", "resolution", "units"),
    [("encoder", 64, 15), ("hybrid", 64, 21), ("descent", 64, 78), ("hybrid", 256, 116)],
)
def test_an_inversion_costs_as_much_as_it_descends(make_web: MakeWeb, method: str, resolution: int, units: int) -> None:
    client = client_of(make_web, PLENTY, resolution)
    reply = client.post(f"/v1/inversions?method={method}", content=LARGE, headers=LATER)
    assert cost(reply) == units + READING


def test_unless_it_is_set_the_limit_lets_a_visitor_invert_a_few_photos_a_minute(make_web: MakeWeb) -> None:
    client = client_of(make_web, DEFAULT_UNITS)
    codes = [client.post("/v1/inversions", content=LARGE, headers=LATER).status_code for _ in range(5)]
    assert codes == [202] * 5
