"""The page with several models in headless Chromium: which draws, which class, how turned and moved."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from jobs.contract import GenerateJob
from tests.app.conftest import Web
from tests.app.pages.conftest import MANY, OpenPage
from tests.app.pages.watching import next_by, seed_of

pytestmark = pytest.mark.browser


def asked(page: Page) -> dict[str, str]:
    """The query of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def last_job(web: Web) -> GenerateJob:
    job = web.painter.done[-1].job
    assert isinstance(job, GenerateJob)
    return job


def until_address_has(page: Page, **wanted: str) -> None:
    for name, value in wanted.items():
        page.wait_for_url(re.compile(rf"[?&]{name}={re.escape(value)}(&|$)"))


def test_a_page_of_one_model_shows_nothing_to_choose(open_page: OpenPage) -> None:
    page = open_page()
    assert page.locator("#look").count() == 0
    assert page.locator("select:visible, input:visible").count() == 0


@pytest.mark.parametrize("scripted", [True, False])
def test_the_model_is_switched_and_stays_in_the_address(open_many: OpenPage, many: Web, scripted: bool) -> None:
    page = open_many(java_script_enabled=scripted)
    seed = seed_of(page)
    expect(page.get_by_text("Drawn by faces. Licence: CC0-1.0")).to_be_visible()
    chooser = page.get_by_label("Model", exact=True)
    assert chooser.locator("option").all_inner_texts()[1] == "animals (CC BY-NC 4.0)"
    chooser.select_option("animals")
    page.get_by_role("button", name="Change model").click()
    page.wait_for_url(re.compile("model=animals"))
    assert asked(page) == {"seed": seed, "model": "animals"}
    assert seed_of(page) == seed
    expect(page.get_by_text("Drawn by animals. Licence: CC BY-NC 4.0")).to_be_visible()
    assert MANY[1].digest in {each.job.model for each in many.painter.done if isinstance(each.job, GenerateJob)}
    assert next_by(page, lambda: page.locator("#frame").click()) != seed
    assert asked(page)["model"] in {"animals", MANY[1].digest}
    expect(page.get_by_text("Drawn by animals")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Model", exact=True)).to_have_value("animals")


def test_only_generators_with_something_to_choose_show_it(open_many: OpenPage) -> None:
    page = open_many()
    assert page.locator("#look").count() == 0
    page.goto("/?model=animals")
    assert page.get_by_label("Class").locator("option").all_inner_texts() == ["any", "cat", "dog", "wild"]
    assert page.get_by_role("slider").count() == 0
    page.goto("/?model=things")
    expect(page.get_by_label("Class, 0 to 999")).to_have_attribute("max", "999")
    page.goto("/?model=moved")
    assert page.get_by_label("Class").locator("option").all_inner_texts() == ["any", "0", "1"]
    assert page.get_by_role("slider").count() == 3


def test_a_class_is_shown_at_once_and_kept_for_the_next(open_many: OpenPage, many: Web) -> None:
    page = open_many("/?model=animals")
    seed = seed_of(page)
    page.get_by_label("Class").select_option("dog")
    until_address_has(page, **{"class": "1"})
    assert seed_of(page) == seed
    assert (last_job(many).label, str(last_job(many).seed)) == (1, seed)
    next_by(page, lambda: page.locator("#next").click())
    assert asked(page)["class"] == "1"
    page.reload()
    expect(page.get_by_label("Class")).to_have_value("1")
    page.get_by_label("Class").select_option("any")
    page.wait_for_url(lambda url: "class=" not in url)
    page.wait_for_timeout(200)
    assert last_job(many).label is None


def test_sliders_move_the_same_face_live(open_many: OpenPage, many: Web) -> None:
    page = open_many("/?model=moved&seed=7")
    page.wait_for_load_state("networkidle")
    before = len(many.painter.done)
    turn = page.get_by_label("Turn")
    turn.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    until_address_has(page, rotate="10")
    page.wait_for_timeout(300)
    assert asked(page)["seed"] == "7"
    assert last_job(many).rotate == 10.0
    assert len(many.painter.done) - before < 10, "not a picture for every step"
    expect(turn).to_have_attribute("aria-valuetext", "10°")
    page.get_by_label("Across").fill("0.25")
    until_address_has(page, rotate="10", translate_x="0.25")
    address = page.url
    page.goto(address)
    expect(page.get_by_label("Across")).to_have_value("0.25")
    page.get_by_role("button", name="Straighten").click()
    page.wait_for_url(lambda url: "rotate" not in url and "translate" not in url)
    expect(page.get_by_label("Turn")).to_have_value("0")


def test_going_back_takes_the_look_along(open_many: OpenPage) -> None:
    page = open_many("/?model=moved&seed=7")
    page.get_by_label("Turn").fill("30")
    until_address_has(page, rotate="30")
    next_by(page, lambda: page.locator("#next").click())
    page.get_by_label("Turn").fill("-45")
    until_address_has(page, rotate="-45")
    page.go_back()
    until_address_has(page, seed="7", rotate="30")
    expect(page.get_by_label("Turn")).to_have_value("30")
    page.go_forward()
    until_address_has(page, rotate="-45")
    expect(page.get_by_label("Turn")).to_have_value("-45")


def test_without_a_script_the_form_shows_what_it_asks(open_many: OpenPage, many: Web) -> None:
    page = open_many("/?model=moved&seed=7", java_script_enabled=False)
    page.get_by_label("Turn").fill("30")
    page.get_by_label("Class").select_option("1")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("rotate=30"))
    job = last_job(many)
    assert (job.seed, job.label, job.rotate, job.translate_x) == (7, 1, 30.0, 0.0)
    expect(page.get_by_label("Turn")).to_have_value("30")
    assert not page.get_by_role("button", name="Straighten").is_visible()
    page.locator("#next").click()
    assert "rotate=30" in page.url
    assert seed_of(page) != "7"


def test_keys_belong_to_the_field_that_has_the_focus(open_many: OpenPage) -> None:
    page = open_many("/?model=animals")
    seed = seed_of(page)
    page.get_by_label("Class").focus()
    page.keyboard.press("d")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    assert seed_of(page) == seed
    assert page.get_by_label("Class").input_value() != ""


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 667), (320, 480)])
def test_it_fits_and_every_field_has_a_name(open_many: OpenPage, width: int, height: int) -> None:
    page = open_many("/?model=moved", viewport={"width": width, "height": height})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("Model", "Class", "Turn", "Across", "Down"):
        field = page.get_by_label(name, exact=True)
        field.focus()
        assert field.evaluate("e => getComputedStyle(e).outlineStyle") in {"solid", "auto"}, name
        box = field.bounding_box()
        assert box is not None
        assert box["height"] >= 24, name
    face = page.locator("#face").bounding_box()
    assert face is not None
    assert face["x"] + face["width"] / 2 == pytest.approx(width / 2, abs=8), "the face stays in the middle"


def test_the_page_of_many_models_is_under_50_kb(many: Web) -> None:
    for model in ("animals", "things", "moved"):
        page = many.client.get(f"/?model={model}")
        links = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        assert len(page.content) + sum(len(many.client.get(link).content) for link in links) < 50_000


def test_a_page_refuses_in_words_what_a_model_cannot(many: Web) -> None:
    for query, sentence in (
        ("class=1", "has no classes"),
        ("model=animals&rotate=5", "cannot turn or move"),
        ("model=animals&class=cow", "from 0 to 2"),
        ("model=moved&rotate=200", "less than or equal to 180"),
    ):
        reply = many.client.get(f"/?{query}")
        assert (reply.status_code, sentence in reply.text) == (422, True), query
