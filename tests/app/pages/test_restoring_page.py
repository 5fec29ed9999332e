"""Filling a photo in a browser: where, by brush, by button or by file, and what comes of it."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect

from models.catalogue import find_models
from tests.app.pages.conftest import OpenPage, opener
from tests.app.translating import photo, studio

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def open_page(browser: Browser, restorers_store: Path) -> Iterator[OpenPage]:
    shelf = find_models(restorers_store, bundled=restorers_store / "nothing")
    with studio(shelf, "memory") as running, opener(browser, running) as open_it:
        yield open_it


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(photo(120, 180, "PNG"))
    return path


def with_a_photo(open_page: OpenPage, file: Path) -> tuple[Page, FloatRect]:
    """The page once it waits for a hole to be painted, and where that is done."""
    page = open_page("/translate?style=inpaint")
    page.set_input_files("#photo", file)
    expect(page.locator("#said")).to_have_text("Paint over what is to be filled.")
    box = page.locator("#hole").bounding_box()
    assert box is not None
    return page, box


def changed(page: Page, file: Path) -> np.ndarray:
    """[H, W]: where the picture that is saved differs from the photo."""
    expect(page.locator("#said")).to_have_text("Painted.", timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save").click()
    answer = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    return np.abs(answer - np.asarray(Image.open(io.BytesIO(file.read_bytes())))).max(axis=2) > 0


def test_what_is_painted_over_is_filled_and_nothing_else(open_page: OpenPage, file: Path) -> None:
    page, box = with_a_photo(open_page, file)
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    page.mouse.up()
    page.get_by_role("button", name="Fill it").click()
    found = changed(page, file)
    assert found[58:62, 50:66].mean() > 0.8
    assert not found[:, 100:].any()
    assert not found[:40].any()


def test_a_stroke_does_not_go_on_from_the_last_one(open_page: OpenPage, file: Path) -> None:
    page, box = with_a_photo(open_page, file)
    left, right, middle = box["x"] + 8, box["x"] + box["width"], box["y"] + box["height"] / 2
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(left + 4, middle)
    page.mouse.up()
    page.mouse.move(right + 12, middle)
    page.mouse.down()
    page.mouse.move(right - 8, middle)
    page.mouse.up()
    between = page.locator("#hole").evaluate(
        "sheet => sheet.getContext('2d').getImageData(sheet.width / 2, sheet.height / 2, 1, 1).data[3]"
    )
    assert between == 0


def test_the_middle_is_marked_and_filled_by_keyboard(open_page: OpenPage, file: Path) -> None:
    page = open_page("/translate?style=inpaint")
    page.set_input_files("#photo", file)
    for name in ("Mark the middle", "Fill it"):
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Enter")
    found = changed(page, file)
    assert found[45:75, 65:115].mean() > 0.8
    assert not found[:38].any()


def test_nothing_marked_is_said_and_a_mask_may_be_a_file(open_page: OpenPage, file: Path, tmp_path: Path) -> None:
    page = open_page("/translate?style=inpaint")
    page.set_input_files("#photo", file)
    page.get_by_role("button", name="Fill it").click()
    expect(page.locator("#said")).to_contain_text("Nothing says where to fill", timeout=60_000)
    mask = Image.new("L", (180, 120), 0)
    mask.paste(255, (0, 0, 40, 120))
    mask.save(tmp_path / "mask.png")
    page.set_input_files("#mask", tmp_path / "mask.png")
    page.get_by_role("button", name="Fill it").click()
    found = changed(page, file)
    assert found[:, :36].mean() > 0.8
    assert not found[:, 41:].any()


def test_marking_is_there_for_styles_that_fill_alone(open_page: OpenPage, file: Path) -> None:
    page = open_page("/translate?style=upscale")
    expect(page.locator("#marking")).to_be_hidden()
    page.set_input_files("#photo", file)
    expect(page.locator("#said")).to_have_text("Painted.", timeout=60_000)
    assert page.evaluate("document.getElementById('after').naturalWidth") == 720
    expect(page.locator("#hole")).to_be_hidden()
    page.locator('[data-style="inpaint"]').click()
    expect(page.locator("#marking")).to_be_visible()
    expect(page.locator("#hole")).to_be_visible()
