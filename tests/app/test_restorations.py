"""Styles that learnt a task, from the form to the picture: masks on either queue, and what is refused of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from models.catalogue import find_models
from tests.app.translating import CONFIG, Studio, opened, studio
from tests.photo_files import picture, saved
from tests.tiny_translator import BLOTS


@pytest.fixture(scope="module", params=["memory", "redis"])
def restoring(request: pytest.FixtureRequest, restorers_store: Path) -> Iterator[Studio]:
    queue = "memory"
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.flush()
        queue = server.url
    shelf = find_models(restorers_store, bundled=restorers_store / "nothing")
    with studio(shelf, queue, replace(CONFIG, max_photo_pixels=100_000), tile_side=256) as running:
        yield running


def post(restoring: Studio, style: str, query: str = "", key: str | None = None, **files: bytes) -> httpx.Response:
    named = {name: (f"{name}.png", body, "image/png") for name, body in files.items()}
    headers = {} if key is None else {"Idempotency-Key": key}
    return restoring.client.post(f"/v1/translations?style={style}{query}", files=named, headers=headers)


def white_square() -> Image.Image:
    mask = Image.new("L", (60, 40), 0)
    mask.paste(255, (20, 10, 40, 30))
    return mask


def test_a_mask_says_where_and_all_else_stays(restoring: Studio) -> None:
    answer = opened(post(restoring, "inpaint", photo=saved(picture(), "PNG"), mask=saved(white_square(), "PNG")))
    changed = np.abs(np.asarray(answer).astype(int) - np.asarray(picture())).max(axis=2)
    inside = np.asarray(white_square()) > 0
    assert (changed[~inside].max(), np.median(changed[inside]) > 5) == (0, True)


def test_a_key_knows_where_the_photo_ends_and_the_mask_begins(restoring: Studio) -> None:
    photo, mask = saved(picture(), "PNG"), saved(white_square(), "PNG")
    assert post(restoring, "inpaint", key="once", photo=photo, mask=mask).status_code == 200
    moved = post(restoring, "inpaint", key="once", photo=photo + mask[:1], mask=mask[1:])
    assert (moved.status_code, moved.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_what_cannot_be_filled_is_a_problem_of_its_own(restoring: Studio) -> None:
    def refused(style: str, **files: bytes) -> tuple[int, str]:
        reply = post(restoring, style, **files)
        return reply.status_code, reply.json()["type"]

    png, jpeg, mask = saved(picture(), "PNG"), saved(picture(), "JPEG"), saved(white_square(), "PNG")
    assert refused("inpaint", photo=jpeg) == (422, "/problems/no-mask")
    assert refused("inpaint", photo=jpeg, mask=b"") == (422, "/problems/no-mask")
    assert refused("inpaint", photo=png) == (422, "/problems/mask-refused")
    assert refused("inpaint", photo=png, mask=saved(Image.new("L", (60, 40), 255), "PNG")) == (
        422,
        "/problems/mask-refused",
    )
    assert refused(BLOTS, photo=png, mask=mask) == (422, "/problems/mask-not-wanted")
    assert refused("inpaint", mask=mask) == (422, "/problems/no-photo")


def test_upscale_is_four_times_as_large_up_to_what_is_made(restoring: Studio) -> None:
    assert opened(post(restoring, "upscale", photo=saved(picture(), "PNG"))).size == (240, 160)
    assert opened(post(restoring, "upscale", "&size=120", photo=saved(picture(), "PNG"))).size == (120, 80)
    reply = post(restoring, "upscale", photo=saved(picture(size=(100, 100)), "PNG"))
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/result-too-large")
    assert "400x400" in reply.json()["detail"]
    assert reply.json()["limit"] == 100_000


def test_upscale_refuses_what_grows_too_long_for_its_format(restoring: Studio) -> None:
    body = saved(picture(size=(4100, 1)), "PNG")
    reply = post(restoring, "upscale", "&format=webp", photo=body)
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/too-long-for-format")
    assert "16400 pixels" in reply.json()["detail"]


def test_the_styles_say_what_they_do(restoring: Studio) -> None:
    styles = restoring.client.get("/v1/styles").json()["styles"]
    assert {(style["name"], style["task"], style["scale"]) for style in styles} == {
        (BLOTS, None, 1),
        ("colourise", "colourise", 1),
        ("inpaint", "inpaint", 1),
        ("upscale", "upscale", 4),
    }
