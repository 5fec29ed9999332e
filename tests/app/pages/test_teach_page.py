"""Clicks on faces become a slider, in headless Chromium, with a real worker behind it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.config import AppConfig
from models.direction_files import directions_from_bytes
from tests.app.conftest import MakeWeb
from tests.app.inverting import Finder, finder
from tests.app.pages.conftest import OpenPage, opener

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service(tiny_store: Path) -> Iterator[Finder]:
    with finder(tiny_store) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, service: Finder) -> Iterator[OpenPage]:
    with opener(browser, service) as open_it:  # type: ignore[arg-type]
        yield open_it


def click(page: Page, words: list[str]) -> None:
    """Say of each face, in their order, what it has."""
    groups = page.get_by_role("group")
    for place, word in enumerate(words):
        groups.nth(place).get_by_label(word).check()


def test_a_slider_is_taught_tried_saved_and_forgotten(open_page: OpenPage, service: Finder) -> None:
    page = open_page("/")
    page.keyboard.press("e")
    page.get_by_role("link", name="Teach a slider").click()
    expect(page.get_by_role("heading", name="Teach a slider")).to_be_visible()
    faces = page.get_by_role("img", name=re.compile("^Face"))
    expect(faces).to_have_count(12)
    click(page, ["more", "less", "skip", "more", "less", "more"])
    expect(page.get_by_role("status")).to_have_text(
        "3 with more, 2 with less; 4 of each at least, and a few dozen are good."
    )
    page.get_by_role("button", name="More faces").click()
    expect(faces).to_have_count(24)
    click(page, ["more", "less"] * 12)
    expect(page.get_by_role("status")).to_have_text("12 with more, 12 with less.")
    page.get_by_label("Its name").fill("cheerful")
    page.get_by_role("button", name="Make the slider").click()
    slider = page.get_by_role("slider", name="cheerful")
    expect(slider).to_be_visible()
    expect(page.locator("#accuracy")).to_contain_text(re.compile(r"Of 24 faces, \d+ % lie on their side"))
    tried = page.get_by_role("img", name=re.compile(r"cheerful 0$"))
    plain = shown(page)
    expect(tried).to_be_visible()
    slider.fill("3")
    expect(page.get_by_role("img", name=re.compile(r"cheerful 3$"))).to_be_visible()
    assert shown(page) != plain
    expect(page.locator("#command")).to_have_text("personne directions import tiny cheerful.npz")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the direction").click()
    assert saved.value.suggested_filename == "cheerful.npz"
    kept = directions_from_bytes(Path(saved.value.path()).read_bytes(), service.manifest)
    assert list(kept) == ["cheerful"]
    page.get_by_role("button", name="Forget it").click()
    expect(slider).to_be_hidden()


def test_what_is_refused_is_told(open_page: OpenPage) -> None:
    page = open_page("/teach", expect_complaints=True)
    click(page, ["more", "less"])
    page.get_by_label("Its name").fill("mix")
    page.get_by_role("button", name="Make the slider").click()
    expect(page.get_by_role("status")).to_contain_text("'mix' is a parameter of addresses already")
    page.goto("/teach?model=nobody")
    expect(page.get_by_role("alert")).to_contain_text("nobody")


def test_it_fits_a_narrow_screen_and_is_small(open_page: OpenPage, service: Finder) -> None:
    page = open_page("/teach", viewport={"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    ours = {address for address in loaded if "/static/" in address}
    assert sum(len(service.client.get(address).content) for address in ("/teach", *ours)) < 50_000


def test_neighbours_are_shown_and_gone_to(open_page: OpenPage) -> None:
    page = open_page("/?seed=7")
    page.keyboard.press("e")
    page.get_by_role("button", name="Neighbours").click()
    neighbours = page.get_by_role("img", name=re.compile("^Neighbour"))
    expect(neighbours).to_have_count(12)
    neighbours.nth(2).click()
    page.wait_for_url(re.compile(r"seed=7&.*mix=\d+:0-7:0.35"))
    expect(page.locator("#seed")).to_have_text("7")
    page.go_back()
    page.wait_for_url(lambda url: "mix" not in url)
    neighbours.nth(3).click()
    page.wait_for_url(re.compile("mix="))
    page.locator("#frame").click()
    page.wait_for_url(lambda url: "seed=7&" not in url)
    expect(neighbours).to_have_count(0)
    assert "mix" not in page.url
    assert page.locator("#mix").input_value() == ""


def test_no_more_faces_are_asked_for_than_the_service_draws(browser: Browser, make_web: MakeWeb) -> None:
    with opener(browser, make_web(AppConfig(ready_faces=0, request_timeout_s=5.0, max_faces=5))) as open_page:
        page = open_page("/?seed=7")
        page.keyboard.press("e")
        page.get_by_role("button", name="Neighbours").click()
        expect(page.get_by_role("img", name=re.compile("^Neighbour"))).to_have_count(5)
        page = open_page("/teach")
        faces = page.get_by_role("img", name=re.compile("^Face"))
        expect(faces).to_have_count(5)
        page.get_by_role("button", name="More faces").click()
        expect(faces).to_have_count(10)


def shown(page: Page) -> str:
    page.locator("#tried").evaluate("image => image.decode()")
    source: str = page.locator("#tried").evaluate(
        """image => { const canvas = document.createElement("canvas");
             canvas.width = canvas.height = 16; canvas.getContext("2d").drawImage(image, 0, 0, 16, 16);
             return canvas.toDataURL(); }"""
    )
    return source
