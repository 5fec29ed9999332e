"""axe-core finds fault with no page (WCAG 2 A and AA, best practices), light or dark, small or large."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from models.catalogue import Catalogue
from tests.app.conftest import Web
from tests.app.pages.conftest import OpenPage, opener
from tests.app.pages.watching import faults
from tests.app.translating import photo, studio

pytestmark = pytest.mark.browser
SIZES = {"phone": {"width": 360, "height": 740}, "desk": {"width": 1280, "height": 800}}


@pytest.fixture
def open_any(browser: Browser, web: Web) -> Iterator[OpenPage]:
    # Pages forbid to be given scripts, as they should; axe is one.
    with opener(browser, web) as open_it:
        yield lambda path, **options: open_it(path, bypass_csp=True, **options)


# The reference is long, and axe takes ten seconds of it: each size and each colour once.
@pytest.mark.parametrize(
    ("path", "size", "colours"),
    [
        *product(("/", "/verify", "/teach", "/privacy", "/problems/queue-full"), SIZES, ("light", "dark")),
        ("/docs", "phone", "dark"),
        ("/docs", "desk", "light"),
    ],
)
def test_pages(open_any: OpenPage, path: str, size: str, colours: Literal["light", "dark"]) -> None:
    page = open_any(path, color_scheme=colours, viewport=SIZES[size])
    page.wait_for_load_state("networkidle")
    assert faults(page) == []


def test_what_is_wrong_is_found(open_any: OpenPage) -> None:
    page = open_any("/")
    page.evaluate("document.getElementById('face').removeAttribute('alt')")
    assert any(fault.startswith("image-alt") for fault in faults(page))


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_translating(browser: Browser, styles: Catalogue, tmp_path: Path, colours: Literal["light", "dark"]) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo(120, 200))
    with studio(styles, "memory") as running, opener(browser, running) as open_it:
        page = open_it("/translate", bypass_csp=True, color_scheme=colours)
        assert faults(page) == []
        page.set_input_files("#photo", file)
        expect(page.locator("#said")).to_have_text("Painted.", timeout=30_000)
        assert faults(page) == []
