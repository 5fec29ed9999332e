"""The page of marks in a browser: a file chosen, dropped, or sent without any script."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from marks import xmp
from tests.app.pages.conftest import OpenPage
from tests.app.pages.watching import choose_before_the_script
from tests.marks.pictures import RECIPE, encoded, scene

pytestmark = pytest.mark.browser

DROP = """
async (bytes) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], "face.jpg", { type: "image/jpeg" }));
  const drop = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
  document.querySelector("h1").dispatchEvent(drop);
}
"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "face.jpg"
    path.write_bytes(encoded(scene(128), xmp=xmp.packet(RECIPE)))
    return path


def test_choosing_a_file_is_enough(open_page: OpenPage, picture: Path) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Verify").click()
    page.wait_for_url("**/verify")
    page.set_input_files("#photo", picture)
    expect(page.get_by_role("heading", level=2)).to_contain_text("The file's metadata say where it comes from")
    expect(page.locator("#xmp")).to_contain_text("drawn by the model faces")
    expect(page.locator("#c2pa")).to_have_text("The file is not signed.")
    expect(page.locator("#watermark")).to_contain_text("No watermark")
    page.get_by_text("The recipe", exact=True).click()
    expect(page.get_by_text("18446744073709551615", exact=True)).to_be_visible()


def test_one_that_was_chosen_before_the_script_came_is_read(open_page: OpenPage, picture: Path) -> None:
    page = open_page("/")
    choose_before_the_script(page, "/verify", "verify.js", picture)
    expect(page.locator("#xmp")).to_contain_text("drawn by the model faces")


def test_dropping_one_anywhere_is_enough(open_page: OpenPage, picture: Path) -> None:
    page = open_page("/verify")
    page.evaluate(DROP, list(picture.read_bytes()))
    expect(page.locator("#xmp")).to_contain_text("drawn by the model faces")


def test_it_works_without_a_script(open_page: OpenPage, picture: Path, tmp_path: Path) -> None:
    page = open_page("/verify", expect_complaints=True, java_script_enabled=False)
    page.set_input_files("#photo", picture)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#xmp")).to_contain_text("drawn by the model faces")
    other = tmp_path / "other.bmp"
    other.write_bytes(b"BM" + bytes(50))
    page.set_input_files("#photo", other)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be read; JPEG, PNG and WebP can")


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits(open_page: OpenPage, picture: Path, width: int) -> None:
    page = open_page("/verify", viewport={"width": width, "height": 800})
    page.set_input_files("#photo", picture)
    expect(page.locator("#xmp")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_text("The recipe", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
