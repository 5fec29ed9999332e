"""From an upload to a painting: web, either queue, the real worker with a real (random) translator, and back."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from models.catalogue import Catalogue
from tests.app.translating import CONFIG, TRANSLATIONS, Studio, opened, photo, studio
from tests.photo_files import half_transparent, saved, with_c2pa_jpeg, with_orientation
from tests.tiny_translator import BLOTS


@pytest.fixture(scope="module", params=["memory", "redis"])
def painting(request: pytest.FixtureRequest, styles: Catalogue) -> Iterator[Studio]:
    queue = "memory"
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.flush()
        queue = server.url
    with studio(styles, queue, tile_side=256) as running:
        yield running


def test_a_photo_comes_back_translated_in_its_own_size_and_format(painting: Studio) -> None:
    body = photo(90, 131)
    reply = painting.post(body)
    answer = opened(reply)
    assert (answer.format, answer.size) == ("JPEG", (131, 90))
    difference = np.asarray(answer).astype(int) - np.asarray(Image.open(io.BytesIO(body)))
    assert np.abs(difference).mean() > 10
    assert reply.headers["Personne-Model"] == painting.digest
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    again = painting.client.get(reply.headers["Content-Location"])
    assert again.content == reply.content


def test_a_form_gives_the_same_picture(painting: Studio) -> None:
    body = photo(64, 80, "PNG")
    plain = painting.post(body)
    form = painting.client.post(TRANSLATIONS, files={"photo": ("holiday.png", body, "image/png")})
    assert plain.status_code == form.status_code == 200
    assert plain.content == form.content
    assert opened(form).format == "PNG"


def test_format_accept_size_and_strength(painting: Studio) -> None:
    body = photo(100, 200, "PNG")
    assert opened(painting.post(body, "&format=webp")).format == "WEBP"
    assert opened(painting.post(body, accept="image/jpeg")).format == "JPEG"
    assert opened(painting.post(body, "&size=50")).size == (50, 25)
    same = opened(painting.post(body, "&strength=0"))
    np.testing.assert_array_equal(np.asarray(same), np.asarray(Image.open(io.BytesIO(body))))


def test_a_cut_out_has_no_dark_rim_when_it_is_shrunk(painting: Studio) -> None:
    levels = np.zeros([384, 384, 4], np.uint8)
    levels[:, :194] = (255, 0, 0, 255)
    body = saved(Image.fromarray(levels), "PNG")
    answer = np.asarray(opened(painting.post(body, "&strength=0&size=96")))
    assert answer[48, 48].tolist() == [255, 0, 0, 128]
    over_white = np.asarray(opened(painting.post(body, "&strength=0&size=96&format=jpg"))).astype(int)
    assert np.abs(over_white[48, 48] - [255, 127, 127]).max() <= 12, "but for what JPEG does to an edge"


def test_what_its_format_has_no_room_for_is_refused_at_once(painting: Studio) -> None:
    wide = saved(Image.new("RGB", (16_384, 2)), "PNG")
    for refused in (painting.post(wide, "&format=webp"), painting.post(wide, accept="image/webp")):
        problem = refused.json()
        assert (refused.status_code, problem["type"]) == (422, "/problems/too-long-for-format")
        assert (problem["limit"], "webp has 16383 at most" in problem["detail"]) == (16_383, True)
    assert opened(painting.post(wide, "&format=webp&size=400")).size == (400, 1)
    assert opened(painting.post(wide, "&strength=0")).size == (16_384, 2)


def test_upright_without_a_word_of_its_origin_and_opacity_kept(painting: Studio) -> None:
    reply = painting.post(with_orientation(6))
    assert opened(reply).size == (40, 60)
    for word in (b"Exif", b"somebody"):
        assert word not in reply.content
    assert opened(painting.post(saved(half_transparent(), "PNG"))).mode == "RGBA"
    assert painting.post(with_c2pa_jpeg()).status_code == 200


def test_a_large_photo_goes_in_tiles_and_says_how_far_it_is(painting: Studio) -> None:
    reply = painting.post(photo(700, 900), prefer="respond-async")
    assert reply.status_code == 202
    assert reply.headers["Preference-Applied"] == "respond-async"
    job = reply.json()
    assert reply.headers["Location"] == job["address"] == f"/v1/jobs/{job['id']}"
    assert job["result"] is None
    too_early = painting.client.get(f"{job['address']}/result")
    assert too_early.status_code in (200, 409)
    over = painting.until_over(job["address"])
    assert (over["state"], over["result"], over["problem"]) == ("done", f"{job['address']}/result", None)
    assert opened(painting.client.get(over["result"])).size == (900, 700)


def test_who_waits_too_long_is_told_where_the_job_is(painting: Studio) -> None:
    reply = painting.post(photo(700, 900), prefer="wait=0")
    assert reply.status_code == 202
    assert reply.headers["Preference-Applied"] == "wait=0"
    assert painting.until_over(reply.headers["Location"])["state"] == "done"


def test_deleting_a_finished_job_forgets_its_picture(painting: Studio) -> None:
    reply = painting.post(photo(64, 64), prefer="respond-async")
    address = reply.headers["Location"]
    painting.until_over(address)
    assert painting.client.delete(address).status_code == 204
    for asked in (address, f"{address}/result"):
        gone = painting.client.get(asked)
        assert gone.status_code == 404
        assert gone.json()["type"] == "/problems/job-not-found"
    assert painting.client.delete(address).status_code == 404


def test_deleting_a_job_that_runs_stops_it(painting: Studio) -> None:
    body = photo(1500, 2000)
    running, waiting = (painting.post(body, prefer="respond-async").headers["Location"] for _ in range(2))
    for address in (waiting, running):
        assert painting.client.delete(address).status_code == 204
    for address in (waiting, running):
        state = painting.until_over(address)
        assert state["state"] == "cancelled"
        assert state["problem"]["type"] == "/problems/job-cancelled"
        assert painting.client.get(f"{address}/result").json()["type"] == "/problems/job-cancelled"
    assert painting.post(photo(64, 64)).status_code == 200, "the lane is free"


def test_a_photo_that_only_the_decoder_can_refuse(painting: Studio) -> None:
    body = photo(200, 200)
    problem = painting.post(body[: len(body) // 2])
    assert problem.status_code == 422
    assert problem.json()["type"] == "/problems/unreadable-photo"
    assert "cut off" in problem.json()["detail"]
    later = painting.post(body[: len(body) // 2], prefer="respond-async").headers["Location"]
    state = painting.until_over(later)
    assert (state["state"], state["problem"]["type"]) == ("failed", "/problems/unreadable-photo")


def test_styles_are_listed_with_pictures(painting: Studio) -> None:
    (style,) = painting.client.get("/v1/styles").json()["styles"]
    assert (style["name"], style["title"], style["digest"], style["ready"]) == (BLOTS, "Blots", painting.digest, True)
    for moment in ("before", "after"):
        reply = painting.client.get(style["thumbnails"][moment])
        assert opened(reply).size == (64, 48)
        assert "max-age" in reply.headers["Cache-Control"]
    assert painting.client.get(f"/v1/styles/{painting.digest}/else.jpg").status_code == 422
    assert painting.client.get("/v1/styles/0123456789abcdef/after.jpg").status_code == 404


def test_a_style_that_is_none(painting: Studio) -> None:
    for query, status, kind in (
        ("style=nobody", 404, "model-not-found"),
        ("", 422, "invalid-parameter"),
        (f"style={BLOTS}&strength=2", 422, "invalid-parameter"),
        (f"style={BLOTS}&size=5000", 422, "size-out-of-range"),
        (f"style={BLOTS}&seed=3", 422, "seed-not-taken"),
        (f"style={BLOTS}&colour=3", 422, "unknown-parameter"),
    ):
        reply = painting.client.post(f"/v1/translations?{query}", content=photo(64, 64))
        assert (reply.status_code, reply.json()["type"]) == (status, f"/problems/{kind}"), query
    assert painting.client.get(TRANSLATIONS).status_code == 405


def test_a_request_turns_into_a_job_when_its_time_is_over(styles: Catalogue) -> None:
    from dataclasses import replace

    with studio(styles, "memory", replace(CONFIG, translation_wait_s=0.01), tile_side=256) as hasty:
        reply = hasty.post(photo(900, 900))
        assert reply.status_code == 202
        assert "Preference-Applied" not in reply.headers
        assert hasty.until_over(reply.headers["Location"])["state"] == "done"
