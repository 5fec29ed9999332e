"""Starting from a photo on the face page, in headless Chromium, with a real worker behind it."""

import io
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from models.locator_files import LOCATOR_FOLDER
from tests.app.inverting import Finder
from tests.app.pages.conftest import OpenPage, opener
from tests.app.pages.starting import PORTRAITS, finder_with_a_slider, latent_of, start_from
from tests.app.translating import photo

pytestmark = pytest.mark.browser
PORTRAIT = PORTRAITS / "A000364.jpg"
HERE = "landmarks=60,70,100,72,81,95,64,115,97,116"


@pytest.fixture(scope="module")
def found(invertible_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finder]:
    with finder_with_a_slider(invertible_store, tmp_path_factory.mktemp("started")) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, found: Finder) -> Iterator[OpenPage]:
    with opener(browser, found) as open_it:  # type: ignore[arg-type]
        yield open_it


def with_landmarks(route: Route) -> None:
    """The photo of these tests shows nobody, so that it is said where its face is."""
    route.continue_(url=f"{route.request.url}&{HERE}")


def shown(page: Page) -> str:
    source: str = page.locator("#face").evaluate(
        """image => { const canvas = document.createElement("canvas");
             canvas.width = canvas.height = 16; canvas.getContext("2d").drawImage(image, 0, 0, 16, 16);
             return canvas.toDataURL(); }"""
    )
    return source


def test_a_photo_is_found_edited_linked_and_forgotten(open_page: OpenPage, found: Finder) -> None:
    page = open_page(expect_complaints=True)
    page.route("**/v1/inversions?*", with_landmarks)
    start_from(page, photo(200, 180))
    latent = latent_of(page)
    expect(page.get_by_role("heading", name="From a photo")).to_be_visible()
    expect(page.get_by_role("img", name="The face as it was cut out")).to_be_visible()
    expect(page.get_by_label("Morph into seed")).to_be_hidden()
    plain = shown(page)
    page.get_by_label("smile").fill("3")
    page.wait_for_url(re.compile("smile=3"))
    moved = shown(page)
    assert moved != plain
    assert latent in page.url
    page.reload()
    expect(page.get_by_label("smile")).to_have_value("3")
    assert shown(page) == moved
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_label("smile").fill("0")
    page.wait_for_url(lambda url: "smile" not in url)
    assert shown(page) == plain
    page.route("**/v1/inversions/*", lambda route: route.abort())
    page.get_by_role("button", name="Forget").click()
    expect(page.locator("#said")).to_have_text("The service cannot be reached.")
    assert latent in page.url
    page.unroute("**/v1/inversions/*")
    page.get_by_role("button", name="Forget").click()
    page.wait_for_url(lambda url: "latent" not in url)
    expect(page.locator("#said")).to_have_text("Forgotten.")
    assert found.client.get(f"/v1/inversions/{latent}").status_code == 404
    page.goto(f"/?latent={latent}")
    expect(page.get_by_role("alert")).to_contain_text("There is no such job")


def test_nothing_is_sent_without_a_photo_and_consent(open_page: OpenPage) -> None:
    page = open_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.keyboard.press("e")
    page.get_by_role("button", name="Find the face").click()
    expect(page.get_by_role("status")).to_have_text("Choose a photo first.")
    page.get_by_label("Start from a photo", exact=True).set_input_files(
        {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": photo(200, 180)}
    )
    page.get_by_role("button", name="Find the face").click()
    expect(page.get_by_role("status")).to_contain_text("Ask whoever is in the photo")
    assert not [url for url in sent if "inversions" in url]
    expect(page.get_by_text("The photo is forgotten as soon as the face is found")).to_be_visible()


@pytest.mark.skipif(not LOCATOR_FOLDER.is_dir(), reason="the locator is not bundled")
@pytest.mark.skipif(not PORTRAIT.is_file(), reason="../shared/data is not here")
def test_a_real_portrait_is_located_inverted_edited_and_saved(open_page: OpenPage, found: Finder) -> None:
    page = open_page()
    start_from(page, PORTRAIT.read_bytes())
    expect(page.get_by_role("progressbar")).to_be_visible()
    told = found.client.get(f"/v1/inversions/{latent_of(page)}").json()
    assert (told["method"], told["faces"]) == ("hybrid", 1)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.get_by_role("img", name="The face as it was cut out")).to_be_visible()
    plain = pixels_shown(page)
    page.get_by_label("smile").fill("2")
    page.wait_for_url(re.compile("smile=2"))
    moved = pixels_shown(page)
    assert np.abs(moved - plain).max() > 20
    with page.expect_download() as saved:
        page.locator("#save").click()
    assert saved.value.suggested_filename == "personne-photo.jpg"
    with Image.open(saved.value.path()) as file:
        # The browser's decoder may round otherwise than ours.
        assert np.abs(np.asarray(file.convert("RGB")).astype(int) - moved).max() <= 4


def pixels_shown(page: Page) -> np.ndarray:
    """The face on the page, [R, R, 3], of its own size."""
    source: str = page.locator("#face").evaluate(
        """async image => { await image.decode(); const canvas = document.createElement("canvas");
             canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
             canvas.getContext("2d").drawImage(image, 0, 0); return canvas.toDataURL(); }"""
    )
    with Image.open(io.BytesIO(b64decode(source.partition(",")[2]))) as drawn:
        return np.asarray(drawn.convert("RGB")).astype(int)
