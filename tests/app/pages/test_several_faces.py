"""Choosing among several faces in a photo, in headless Chromium: by key, mouse and touch; a real worker finds them."""

import io
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from models.alignment import cut, face_square
from models.locator_files import LOCATOR_FOLDER
from tests.app.inverting import Finder
from tests.app.pages.conftest import OpenPage, opener
from tests.app.pages.starting import PORTRAITS, TAKES_ITS_TIME_MS, finder_with_a_slider, latent_of, start_from
from tests.app.pages.watching import faults

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not LOCATOR_FOLDER.is_dir(), reason="the locator is not bundled"),
    pytest.mark.skipif(not PORTRAITS.is_dir(), reason="../shared/data is not here"),
]
SIDES = ((540, 660), (450, 550), (360, 440))
"""Of the three pictures of people, in pixels: the people are as large as these."""
TURNED_A_QUARTER = 6
"""What EXIF says of a photo whose rows are to be columns: turned clockwise, it is upright."""
PHONE, DESK = {"width": 375, "height": 740}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def found(invertible_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finder]:
    with finder_with_a_slider(invertible_store, tmp_path_factory.mktemp("several")) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, found: Finder) -> Iterator[OpenPage]:
    with opener(browser, found) as open_it:  # type: ignore[arg-type]
        yield open_it


@pytest.fixture(scope="module")
def together() -> Image.Image:
    """Three people side by side, the first the largest, the last cut by the photo's edge."""
    photo = Image.new("RGB", (sum(width for width, _ in SIDES), SIDES[0][1]), (120, 130, 140))
    left = 0
    for file, side in zip(sorted(PORTRAITS.glob("*.jpg")), SIDES, strict=False):
        with Image.open(file) as portrait:
            photo.paste(portrait.convert("RGB").resize(side), (left, 0))
        left += side[0]
    return photo


def jpeg(photo: Image.Image) -> bytes:
    return held(photo, 1, "JPEG")


def held(photo: Image.Image, orientation: int, kind: str) -> bytes:
    """As a file whose EXIF says how the camera was held."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    photo.save(file, kind, quality=95, exif=exif)
    return file.getvalue()


def asked(page: Page) -> list[str]:
    """The addresses that photos were sent to, as they will have been."""
    sent: list[str] = []

    def kept(request: Request) -> None:
        if request.method == "POST" and "/v1/inversions" in request.url:
            sent.append(request.url.partition("model=")[2].partition("&")[2])

    page.on("request", kept)
    return sent


def choices(page: Page) -> Any:
    group = page.get_by_role("group", name="There are 3 faces in the photo. Which one?")
    expect(group).to_be_visible(timeout=TAKES_ITS_TIME_MS)
    return group


def drawn(page: Page, selector: str) -> np.ndarray:
    """A canvas of the page, [H, W, 3], transparent places black."""
    source: str = page.locator(selector).evaluate("canvas => canvas.toDataURL()")
    with Image.open(io.BytesIO(b64decode(source.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def press_on_face(page: Page, told: dict[str, Any], tap: bool = False) -> None:
    """In the photo, where the service said that the face is. told: the document of that face."""
    left, top, width, height = told["box"]
    canvas = page.get_by_role("img", name="The photo, with 3 faces framed")
    canvas.scroll_into_view_if_needed()
    shown = canvas.bounding_box()
    assert shown is not None
    scale = shown["width"] / told["photo"]["width"]
    assert shown["height"] == pytest.approx(told["photo"]["height"] * scale, abs=2), "the photo is upright, undistorted"
    x, y = shown["x"] + (left + width / 2) * scale, shown["y"] + (top + height / 2) * scale
    (page.touchscreen.tap if tap else page.mouse.click)(x, y)


def test_one_is_chosen_with_the_keyboard(open_page: OpenPage, found: Finder, together: Image.Image) -> None:
    page = open_page()
    sent = asked(page)
    start_from(page, jpeg(together))
    expect(page.get_by_role("img", name="The photo", exact=True)).to_be_visible()
    group = choices(page)
    expect(page.locator("#said")).to_have_text("There are 3 faces in the photo. Choose one.")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    names = ["Face 1 of 3, the largest", "Face 2 of 3", "Face 3 of 3"]
    assert [button.get_attribute("aria-label") for button in group.get_by_role("button").all()] == names
    expect(group.get_by_role("button", name=names[0])).to_be_focused()
    plain = drawn(page, "#faces > canvas")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    third = group.get_by_role("button", name=names[2])
    expect(third).to_be_focused()
    assert np.abs(drawn(page, "#faces > canvas") - plain).max() > 100, "the frame of the focused one is thicker"
    preview = drawn(page, "#several button:nth-child(3) canvas")
    page.keyboard.press("Enter")
    expect(third).to_have_attribute("aria-pressed", "true")
    cut_out = page.get_by_role("img", name="The face as it was cut out")
    expect(cut_out).to_be_visible()
    assert "latent=" not in page.url, "it is shown while its latent is being looked for"
    assert np.abs(drawn(page, "#crop") - preview).max() == 0
    told = found.client.get(f"/v1/inversions/{latent_of(page)}").json()
    assert told["faces"] == 3
    assert told["box"][0] > SIDES[0][0] + SIDES[1][0], "the one on the right"
    assert sent == ["", "face=2"]
    square = face_square(np.array(told["landmarks"]))
    exact = cut(np.asarray(Image.open(io.BytesIO(jpeg(together)))), square, 96).astype(int)
    assert np.abs(drawn(page, "#crop") - exact).mean() < 8, "as it is cut out for the model, beyond the edge, too"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_one_is_pressed_in_a_photo_that_was_held_upright(
    open_page: OpenPage, found: Finder, together: Image.Image, kind: str
) -> None:
    lying = held(together.transpose(Image.Transpose.ROTATE_90), TURNED_A_QUARTER, kind)
    told = found.post(lying, "?method=encoder&face=1").json()
    assert told["photo"] == {"width": together.width, "height": together.height}
    page = open_page()
    sent = asked(page)
    start_from(page, lying)
    choices(page)
    press_on_face(page, told)
    latent = latent_of(page)
    assert sent == ["", "face=1"]
    assert found.client.get(f"/v1/inversions/{latent}").json()["box"] == told["box"]
    # Then another of them, after all; and nothing of anybody is left once all is forgotten.
    page.get_by_role("button", name="Face 1 of 3, the largest").click()
    page.wait_for_url(lambda url: "latent=" in url and latent not in url, timeout=TAKES_ITS_TIME_MS)
    assert sent == ["", "face=1", "face=0"]
    page.get_by_role("button", name="Forget").click()
    expect(page.locator("#faces")).to_have_count(0)
    expect(page.locator("#crop")).to_be_hidden()


def test_another_photo_ends_the_choice(open_page: OpenPage, together: Image.Image) -> None:
    page = open_page()
    start_from(page, jpeg(together))
    choices(page)
    alone = {"name": "alone.jpg", "mimeType": "image/jpeg", "buffer": jpeg(together.crop((0, 0, *SIDES[0])))}
    page.get_by_label("Start from a photo", exact=True).set_input_files(alone)
    expect(page.locator("#faces")).to_have_count(0)
    page.get_by_role("button", name="Find the face").click()
    latent_of(page)
    expect(page.locator("#faces")).to_have_count(0)


@pytest.mark.parametrize(("colours", "viewport"), [("light", PHONE), ("dark", DESK)], ids=["phone", "desk"])
def test_it_fits_a_hand_and_axe_finds_no_fault(
    open_page: OpenPage,
    found: Finder,
    together: Image.Image,
    colours: Literal["light", "dark"],
    viewport: dict[str, int],
) -> None:
    told = found.post(jpeg(together), "?method=encoder&face=2").json()
    page = open_page(bypass_csp=True, color_scheme=colours, viewport=viewport, has_touch=True)
    start_from(page, jpeg(together))
    group = choices(page)
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    for button in group.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    press_on_face(page, told, tap=True)
    assert found.client.get(f"/v1/inversions/{latent_of(page)}").json()["box"] == told["box"]
    assert faults(page) == []
