"""The face page's edits in headless Chromium: sliders, locks, undo, mixing, all of it in the address."""

import io
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from jobs.contract import GenerateJob, JobOutcome, JobResult, MorphJob, PictureFormat
from marks import Mark
from marks.stamp import Stamp
from models.catalogue import Catalogue, ModelEntry
from models.directions import Directions
from tests.app.conftest import MakeWeb, Web
from tests.app.pages.conftest import OpenPage, opener
from tests.app.pages.watching import faults, next_by, seed_of
from tests.app.service import manifest, paint
from tests.some_directions import some_directions
from worker.animations import animation
from worker.pictures import stamped
from worker.tasks.generate import recipe_of

pytestmark = pytest.mark.browser
MODEL = manifest()
KNOWN = Directions(some_directions(), "0123abcd")


def answered(job: GenerateJob | MorphJob) -> JobOutcome:
    """A face has its seed's colour, a morph those of its seeds."""
    if isinstance(job, GenerateJob):
        return paint(job)
    frames = [np.full([job.size, job.size, 3], seed % 256, np.uint8) for seed in job.seeds]
    return JobResult(animation(frames, job.format, job.fps, loop=job.loop, xmp=b""), job.format.media_type)


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    web = make_web(models=(MODEL,), shelf=Catalogue({"faces": ModelEntry(MODEL, Path(), "bundled", KNOWN)}))
    web.painter.answer = answered  # type: ignore[assignment]
    return web


@pytest.fixture
def open_page(browser: Browser, web: Web) -> Iterator[OpenPage]:
    with opener(browser, web) as open_it:
        yield open_it


def asked(page: Page) -> dict[str, str]:
    """The query of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def until_address_has(page: Page, **wanted: str) -> None:
    for name, value in wanted.items():
        page.wait_for_url(re.compile(rf"[?&]{name}={re.escape(value)}(&|$)"))


def faces_drawn(web: Web) -> list[GenerateJob]:
    return [one.job for one in web.painter.done if isinstance(one.job, GenerateJob)]


def test_the_page_is_calm_until_one_edits(open_page: OpenPage) -> None:
    page = open_page()
    smile = page.get_by_label("smile")
    expect(smile).to_be_hidden()
    page.keyboard.press("e")
    expect(smile).to_be_visible()
    assert page.get_by_role("slider").count() == len(KNOWN)
    expect(smile).to_have_attribute("min", "-2")
    expect(smile).to_have_attribute("max", "3")
    expect(page.get_by_text("smile", exact=True)).to_have_attribute("title", "from glum to glad")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_editor_is_for_everybody(open_page: OpenPage, colours: str) -> None:
    page = open_page("/?seed=7", bypass_csp=True, color_scheme=colours)
    page.keyboard.press("e")
    page.get_by_label("smile").fill("1")
    until_address_has(page, smile="1")
    assert faults(page) == []


def test_a_slider_moves_the_face_and_the_address_says_so(open_page: OpenPage, web: Web) -> None:
    page = open_page("/?seed=7")
    page.keyboard.press("e")
    page.get_by_label("smile").fill("1.5")
    until_address_has(page, smile="1.5", seed="7", directions="0123abcd")
    assert (faces_drawn(web)[-1].seed, faces_drawn(web)[-1].edits) == (7, (("smile", 1.5),))
    expect(page.locator("#save")).to_have_attribute("href", re.compile("smile=1.5"))
    page.reload()
    expect(page.get_by_label("smile")).to_have_value("1.5")
    expect(page.get_by_label("smile")).to_be_visible()
    next_by(page, lambda: page.locator("#next").click())
    until_address_has(page, smile="1.5")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_url(lambda url: "smile" not in url)
    assert faces_drawn(web)[-1].edits == ()


# In the page: the browser's own events of two requests in a row may cross on their way here.
COUNT_REQUESTS = """() => {
  const send = window.fetch;
  let running = 0;
  window.mostAtOnce = 0;
  window.fetch = async (...request) => {
    window.mostAtOnce = Math.max(window.mostAtOnce, ++running);
    try {
      return await send(...request);
    } finally {
      running--;
    }
  };
}"""


def test_one_request_at_a_time_and_the_latest_wins(open_page: OpenPage, web: Web) -> None:
    def slowly(job: GenerateJob) -> JobOutcome:
        time.sleep(0.25)
        return paint(job)

    page = open_page("/?seed=7")
    page.wait_for_load_state("networkidle")
    web.painter.answer = slowly
    page.evaluate(COUNT_REQUESTS)
    page.keyboard.press("e")
    slider = page.get_by_label("smile")
    slider.focus()
    before = len(web.painter.done)
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(60)
    until_address_has(page, smile="2")
    page.wait_for_timeout(600)
    assert page.evaluate("mostAtOnce") == 1
    assert len(web.painter.done) - before < 10
    assert faces_drawn(web)[-1].edits == (("smile", 2.0),)
    until_address_has(page, smile="2")


def test_what_failed_is_what_is_tried_again(browser: Browser, web: Web) -> None:
    context = browser.new_context(base_url=str(web.client.base_url))
    page = context.new_page()
    page.goto("/?seed=7")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("e")
    page.route("**/v1/faces/7*", lambda route: route.abort())
    page.get_by_label("smile").fill("1")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute("**/v1/faces/7*")
    page.get_by_role("button", name="Try again").click()
    until_address_has(page, seed="7", smile="1")
    assert seed_of(page) == "7"
    context.close()


def test_what_is_kept_stays_while_others_move(open_page: OpenPage, web: Web) -> None:
    page = open_page("/?seed=7")
    page.keyboard.press("e")
    keeps = page.get_by_role("button", name="Keep")
    keeps.nth(1).click()
    expect(page.get_by_label("age")).to_be_disabled()
    page.get_by_label("smile").fill("1")
    until_address_has(page, smile="1", keep="age")
    assert faces_drawn(web)[-1].keep == ("age",)
    page.reload()
    expect(page.get_by_label("age")).to_be_disabled()
    page.get_by_role("button", name="Keep").nth(1).click()
    page.wait_for_url(lambda url: "keep" not in url)
    expect(page.get_by_label("age")).to_be_enabled()
    assert faces_drawn(web)[-1].keep == ()


def test_undo_and_redo(open_page: OpenPage) -> None:
    page = open_page("/?seed=7")
    page.keyboard.press("e")
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_be_disabled()
    page.get_by_label("smile").fill("1")
    until_address_has(page, smile="1")
    page.get_by_label("age").fill("-2")
    until_address_has(page, smile="1", age="-2")
    undo.click()
    page.wait_for_url(lambda url: "age" not in url)
    assert asked(page)["smile"] == "1"
    expect(page.get_by_label("age")).to_have_value("0")
    page.keyboard.press("Control+z")
    page.wait_for_url(lambda url: "smile" not in url)
    expect(undo).to_be_disabled()
    page.keyboard.press("Control+Shift+Z")
    until_address_has(page, smile="1")
    redo.click()
    until_address_has(page, age="-2")
    expect(page.get_by_label("age")).to_have_value("-2")
    expect(redo).to_be_disabled()
    next_by(page, lambda: page.locator("#next").click())
    expect(undo).to_be_disabled()


def test_mixing_with_another_face(open_page: OpenPage, web: Web) -> None:
    page = open_page("/?seed=7")
    page.keyboard.press("e")
    page.get_by_label("Mix with seed").fill(" 9 ")
    until_address_has(page, mix="9:0-2")
    page.get_by_label("Take its").select_option("colours")
    until_address_has(page, mix="9:7-9")
    assert faces_drawn(web)[-1].mix == ((9, 7, 9, 1.0),)
    page.reload()
    expect(page.get_by_label("Mix with seed")).to_have_value("9")
    expect(page.get_by_label("Take its")).to_have_value("7-9")
    page.get_by_label("Mix with seed").fill("")
    page.wait_for_url(lambda url: "mix" not in url)
    page.goto("/?seed=7&mix=9:0-1,4:5")
    expect(page.get_by_label("Mix with seed")).to_have_attribute("placeholder", "9:0-1,4:5")
    page.get_by_label("smile").fill("1")
    until_address_has(page, smile="1", mix="9:0-1,4:5".replace(",", "%2C"))


def test_a_morph_is_played_stopped_and_linked(open_page: OpenPage, web: Web) -> None:
    page = open_page("/?seed=7")
    page.keyboard.press("e")
    page.get_by_label("smile").fill("1")
    until_address_has(page, smile="1")
    page.get_by_label("Morph into seed").fill("9")
    page.get_by_role("button", name="Play").click()
    until_address_has(page, to="9", smile="1")
    made = web.painter.done[-1].job
    assert isinstance(made, MorphJob)
    assert (made.seeds, made.loop, made.edits) == ((7, 9), True, (("smile", 1.0),))
    expect(page.locator("#save")).to_have_attribute("download", "personne-7-9.webp")
    expect(page.locator("#face")).to_have_attribute("src", re.compile("^blob:"))
    expect(page.get_by_role("img", name="Nobody 7, who turns into 9 and back")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("img", name="Nobody 7, who turns into 9 and back")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    page.wait_for_url(lambda url: "to=" not in url)
    expect(page.get_by_role("img", name=re.compile("seed 7$"))).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_what_the_service_refuses_is_told(open_page: OpenPage, web: Web) -> None:
    page = open_page("/?seed=7", expect_complaints=True)
    page.keyboard.press("e")
    page.get_by_role("button", name="Keep").nth(3).click()
    page.get_by_label("smile").fill("1")
    expect(page.get_by_role("status")).to_contain_text("smile moves in w and pose in z")
    assert "smile" not in page.url, "the address is that of the face that is shown"
    assert faces_drawn(web)[-1].edits == ()


def test_a_dropped_picture_is_itself_again(open_page: OpenPage) -> None:
    job = GenerateJob(MODEL.digest, 7, 0.5, 64, PictureFormat.PNG, edits=(("smile", 2.0),), mix=((9, 0, 3, 1.0),))
    job = replace(job, directions=KNOWN.digest)
    picture = np.asarray(Image.open(io.BytesIO(paint(job).body)).convert("RGB"))
    body = stamped(picture, job.format, recipe_of(job, "faces"), Stamp({Mark.XMP})).body
    page = open_page()
    drop(page, body)
    until_address_has(page, seed="7", truncation_psi="0.5", mix="9:0-3", smile="2", directions=KNOWN.digest)
    assert seed_of(page) == "7"
    expect(page.get_by_label("smile")).to_have_value("2")
    drop(page, paint(job).body)
    expect(page.get_by_role("status")).to_contain_text("no face that can be drawn here")


def test_without_a_script_sliders_are_a_form_and_morphs_a_link(open_page: OpenPage, web: Web) -> None:
    page = open_page("/?seed=7", java_script_enabled=False)
    page.locator("summary").click()
    page.get_by_label("smile").fill("2")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("smile=2"))
    assert faces_drawn(web)[-1].edits == (("smile", 2.0),)
    expect(page.get_by_label("smile")).to_have_value("2")
    assert not page.get_by_label("Mix with seed").is_visible()
    page.goto("/?seed=7&smile=1&to=9")
    link = page.get_by_role("link", name="Watch it turn into 9").get_attribute("href")
    assert web.client.get(str(link)).headers["Content-Type"] == "image/webp"
    job = web.painter.done[-1].job
    assert isinstance(job, MorphJob)
    assert job.edits == (("smile", 1.0),)


def drop(page: Page, body: bytes) -> None:
    """As from the desktop, onto the page."""
    data = page.evaluate_handle(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "face.png", { type: "image/png" }));
          return data;
        }""",
        list(body),
    )
    page.dispatch_event("body", "drop", {"dataTransfer": data})
