"""The page of styles in a browser: a photo chosen, dropped or pasted, watched, compared, saved, erased."""

import io
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, expect

from models.catalogue import Catalogue
from tests.app.pages.conftest import OpenPage, opener
from tests.app.pages.watching import choose_before_the_script
from tests.app.translating import Studio, photo, studio
from tests.tiny_translator import BLOTS

pytestmark = pytest.mark.browser

EVERYDAY = Path(__file__).parents[4] / "shared" / "data" / "everyday"
GIVE = """
async ([kind, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], "photo.jpg", { type: "image/jpeg" }));
  const event = kind === "drop"
    ? new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true });
  document.querySelector("h1").dispatchEvent(event);
}
"""
DIVIDE = "() => getComputedStyle(document.getElementById('pair')).getPropertyValue('--divide')"
SIDES = """() => ["before", "after"].map((id) => document.getElementById(id))
    .map(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight])"""
DRAWN = """() => {
  const [photo, canvas] = [document.getElementById("before"), document.createElement("canvas")];
  [canvas.width, canvas.height] = [photo.naturalWidth, photo.naturalHeight];
  canvas.getContext("2d").drawImage(photo, 0, 0);
  return canvas.toDataURL();
}"""


@pytest.fixture
def painter(styles: Catalogue) -> Iterator[Studio]:
    with studio(styles, "memory") as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, painter: Studio) -> Iterator[OpenPage]:
    with opener(browser, painter) as open_it:
        yield open_it


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo(120, 200))
    return path


def painted(page: Page) -> None:
    expect(page.locator("#said")).to_have_text("Painted.", timeout=30_000)


def test_choosing_a_photo_is_enough_and_the_picture_is_saved(open_page: OpenPage, file: Path) -> None:
    page = open_page("/verify")
    page.get_by_role("link", name="Translate").click()
    page.wait_for_url("**/translate")
    page.set_input_files("#photo", file)
    painted(page)
    expect(page.locator("#before")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save").click()
    assert download.value.suggested_filename == f"{BLOTS}.jpg"
    saved = Image.open(download.value.path())
    assert saved.size == (200, 120)
    before = Image.open(io.BytesIO(file.read_bytes()))
    assert saved.convert("RGB").tobytes() != before.tobytes()


def test_a_photo_that_was_chosen_before_the_script_came_is_painted(open_page: OpenPage, file: Path) -> None:
    page = open_page("/verify")
    choose_before_the_script(page, "/translate", "translate.js", file)
    painted(page)


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_dropping_or_pasting_one_is_enough(open_page: OpenPage, file: Path, kind: str) -> None:
    page = open_page("/translate")
    page.evaluate(GIVE, [kind, list(file.read_bytes())])
    painted(page)


def test_photo_and_painting_stand_alike_however_a_webp_was_held(open_page: OpenPage) -> None:
    page = open_page("/translate")
    asked = Image.open(io.BytesIO(photo(120, 200, "PNG")))
    for orientation in range(1, 9):
        body, exif = io.BytesIO(), Image.Exif()
        exif[0x0112] = orientation
        asked.save(body, "WEBP", lossless=True, exif=exif)
        page.set_input_files("#photo", {"name": "me.webp", "mimeType": "image/webp", "buffer": body.getvalue()})
        expect(page.locator("#said")).to_have_text("")
        painted(page)
        sides = page.evaluate(SIDES)
        assert sides[0] == sides[1], orientation
        upright = np.asarray(ImageOps.exif_transpose(Image.open(body)).convert("RGB")).astype(int)
        assert upright.shape[1::-1] == tuple(sides[0])
        assert np.abs(shown(page) - upright).mean() < 8, orientation


def shown(page: Page) -> np.ndarray:
    """The photo on the left of the pair, [H, W, 3]."""
    with Image.open(io.BytesIO(b64decode(page.evaluate(DRAWN).partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_mouse_and_keyboard_move_the_edge_between_before_and_after(open_page: OpenPage, file: Path) -> None:
    page = open_page("/translate")
    page.set_input_files("#photo", file)
    painted(page)
    assert page.evaluate(DIVIDE) == "50%"
    box = page.locator("#pair").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 5, box["y"] + 40)
    page.mouse.up()
    assert page.evaluate(DIVIDE) == "20%"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(DIVIDE) == "21%"
    expect(page.locator("#divide")).to_have_attribute("aria-valuetext", "21 % photo")


def test_a_finger_moves_the_edge_between_before_and_after(open_page: OpenPage, file: Path) -> None:
    page = open_page("/translate", viewport={"width": 390, "height": 800}, has_touch=True)
    page.set_input_files("#photo", file)
    painted(page)
    page.locator("#pair").scroll_into_view_if_needed()
    box = page.locator("#pair").bounding_box()
    assert box is not None
    finger, y = page.context.new_cdp_session(page), box["y"] + box["height"] / 2

    def touch(kind: str, *shares: float) -> None:
        points = [{"x": box["x"] + box["width"] * share, "y": y} for share in shares]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.5)
    for share in (0.6, 0.7, 0.8):
        touch("touchMove", share)
    touch("touchEnd")
    assert page.evaluate(DIVIDE) == "80%"
    assert page.evaluate("scrollX") == 0
    page.touchscreen.tap(box["x"] + box["width"] / 5, y)
    assert page.evaluate(DIVIDE) == "20%"
    expect(page.locator("#divide")).to_have_attribute("aria-valuetext", "20 % photo")


def test_the_address_shows_the_picture_again(open_page: OpenPage, file: Path) -> None:
    page = open_page("/translate")
    page.set_input_files("#photo", file)
    painted(page)
    assert "job=" in page.url
    page.reload()
    expect(page.locator("#after")).to_be_visible()
    assert page.locator("#after").evaluate("image => image.decode().then(() => image.naturalWidth)") == 200


def test_erasing_forgets_the_picture(open_page: OpenPage, painter: Studio, file: Path) -> None:
    page = open_page("/translate", expect_complaints=True)
    page.set_input_files("#photo", file)
    painted(page)
    job = page.url.split("job=")[1]
    page.route("**/v1/jobs/*", lambda route: route.abort())
    page.get_by_role("button", name="Erase it now").click()
    expect(page.locator("#said")).to_have_text("The service cannot be reached.")
    page.unroute("**/v1/jobs/*")
    page.get_by_role("button", name="Erase it now").click()
    expect(page.locator("#said")).to_have_text("Erased.")
    expect(page.locator("#compare")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert painter.client.get(f"/v1/jobs/{job}").status_code == 404


def test_what_is_no_photo_is_told_in_a_sentence(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("/translate", expect_complaints=True)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"GIF89a" + bytes(50))
    page.set_input_files("#photo", broken)
    expect(page.locator("#said")).to_contain_text("GIF")
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(bytes(11 * 2**20))
    page.set_input_files("#photo", huge)
    expect(page.locator("#said")).to_have_text("The photo has 11.0 MiB; 10 MiB is the most.")


def test_it_works_without_a_script(open_page: OpenPage, file: Path) -> None:
    page = open_page("/translate", expect_complaints=True, java_script_enabled=False)
    page.set_input_files("#photo", file)
    page.locator(".style").first.click()
    expect(page.get_by_role("link", name="Save")).to_be_visible(timeout=30_000)
    expect(page.locator("#after")).to_be_visible()


def test_a_phone_photo_of_twelve_megapixels_on_a_small_screen(open_page: OpenPage, tmp_path: Path) -> None:
    pictures = sorted(EVERYDAY.glob("*.jpg"))
    if not pictures:
        pytest.skip("the everyday photographs are not here")
    path = tmp_path / "phone.jpg"
    Image.open(pictures[0]).convert("RGB").resize((4000, 3000)).save(path, quality=85)
    page = open_page("/translate", viewport={"width": 390, "height": 800}, has_touch=True)
    page.set_input_files("#photo", path)
    expect(page.locator("#said")).to_have_text("Painted.", timeout=120_000)
    assert page.locator("#after").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [4000, 3000]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
