"""Sliders of attributes whose ranges and strengths are no tenths, in headless Chromium: what nobody moves stays."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from models.catalogue import Catalogue, ModelEntry
from models.directions import Directions
from tests.app.conftest import MakeWeb
from tests.app.pages.conftest import OpenPage, opener
from tests.app.pages.test_editing import asked, until_address_has
from tests.app.service import manifest
from tests.some_directions import some_directions

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(browser: Browser, make_web: MakeWeb) -> Iterator[OpenPage]:
    smile, age, hue, *_ = some_directions()
    narrow = [replace(smile, low=-1.25, high=1.25), age, replace(hue, low=-0.055, high=0.055)]
    model = manifest()
    shelf = Catalogue({"faces": ModelEntry(model, Path(), "bundled", Directions(narrow, "0123abcd"))})
    with opener(browser, make_web(models=(model,), shelf=shelf)) as open_it:
        yield open_it


def test_a_slider_that_nobody_moves_changes_nothing(open_page: OpenPage) -> None:
    page = open_page("/?seed=7")
    page.keyboard.press("e")
    for name in ("smile", "hue"):
        expect(page.get_by_label(name)).to_have_value("0")
    page.get_by_label("age").fill("1")
    until_address_has(page, age="1")
    assert {"smile", "hue"} & asked(page).keys() == set()


def test_a_strength_of_more_digits_than_the_slider_has_stays(open_page: OpenPage) -> None:
    page = open_page("/?seed=7&smile=0.7345")
    page.get_by_label("age").fill("1")
    until_address_has(page, age="1", smile="0.7345")
    page.get_by_label("smile").fill("0.8")
    until_address_has(page, age="1", smile="0.8")
