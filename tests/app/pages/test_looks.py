"""The page in headless Chromium: sizes, colours, names, motion."""

import re

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Web
from tests.app.pages.conftest import OpenPage
from tests.app.pages.watching import FACE, next_by

pytestmark = pytest.mark.browser


def test_nothing_moves_while_faces_change(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 1000, "height": 760})
    page.wait_for_load_state("networkidle")
    place = page.locator(FACE).bounding_box()
    for _ in range(4):
        next_by(page, lambda: page.keyboard.press(" "))
    assert page.locator(FACE).bounding_box() == place
    page.wait_for_timeout(100)
    # A seed of nine digits is narrower than one of ten, so the caption moves by half a digit; nothing else may.
    assert page.evaluate("window.shifts") < 0.001, page.evaluate("window.shifted")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 667), (320, 480), (900, 420), (2560, 1440)])
def test_the_face_is_a_square_that_fits(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(viewport={"width": width, "height": height})
    box = page.locator(FACE).bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["width"] >= min(180, width * 0.6)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light(open_page: OpenPage) -> None:
    def brightness(scheme: str) -> float:
        page = open_page(color_scheme=scheme)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", paper))) / 3

    assert brightness("dark") < 40
    assert brightness("light") > 220


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_has_contrast(open_page: OpenPage, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for all that is read."""
    page = open_page(color_scheme=scheme)

    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    paper = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    for selector in ("h1", ".quiet", ".tool", ".tool kbd", "header a", "#said"):
        ink = luminance(page.locator(selector).first.evaluate("e => getComputedStyle(e).color"))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, selector


def test_everything_has_a_name_and_is_reached_by_tab(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_role("img")).to_have_accessible_name(re.compile("Portrait of a person who does not exist"))
    for role, name in (("link", "Next face"), ("link", re.compile("^Save")), ("button", re.compile("^Copy link"))):
        expect(page.get_by_role(role, name=name)).to_be_visible()  # type: ignore[arg-type]
    expect(page.get_by_role("button", name="Keys")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    reached = []
    for _ in range(11):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", reached
    site, face = ["Translate", "Verify", "API", "Privacy"], ["frame", "seed", "next", "save", "copy", "help"]
    assert reached == ["personne", *site, *face]


def test_a_new_face_is_announced(open_page: OpenPage) -> None:
    page = open_page()
    seed = next_by(page, lambda: page.keyboard.press(" "))
    expect(page.get_by_role("status")).to_have_text(f"Nobody {seed}")


def test_motion_is_spared_whom_it_bothers(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="reduce")
    page.evaluate("() => { Element.prototype.animate = () => { window.moved = true; }; }")
    next_by(page, lambda: page.keyboard.press(" "))
    assert page.evaluate("window.moved") is None


def test_the_page_is_under_50_kb(open_page: OpenPage, web: Web) -> None:
    page = open_page()
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    static = {address for address in loaded if "/static/" in address}
    assert {address.rpartition("/")[2] for address in static} >= {"personne.css", "personne.js", "look.js"}
    sizes = {address: len(web.client.get(address).content) for address in ("/", *static)}
    assert sum(sizes.values()) < 50_000, sizes


def test_the_reference_in_the_browser(open_page: OpenPage) -> None:
    page = open_page("/docs", viewport={"width": 375, "height": 667})
    expect(page.get_by_role("heading", name="GET /face", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
