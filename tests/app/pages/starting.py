"""Starting from a photo, as somebody does it on the face page; and a service with a slider, whose worker inverts."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page

from models.direction_files import save_directions
from models.directions import Direction
from tests.app.inverting import Finder, finder
from tests.some_directions import vector
from tests.tiny_model import TINY

TAKES_ITS_TIME_MS = 60_000
PORTRAITS = Path(__file__).parents[4] / "shared" / "data" / "faces" / "raw"


@contextmanager
def finder_with_a_slider(invertible: Path, store: Path) -> Iterator[Finder]:
    """invertible: a store with the tiny model. store: an empty folder."""
    shutil.copytree(invertible / TINY, store / TINY)
    save_directions(store / TINY, [Direction("smile", "w", vector(1), low=-2, high=3)])
    with finder(store) as running:
        yield running


def start_from(page: Page, body: bytes) -> None:
    page.keyboard.press("e")
    page.get_by_label("Start from a photo", exact=True).set_input_files(
        {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": body}
    )
    page.get_by_label("Whoever is in the photo agrees.").check()
    page.get_by_role("button", name="Find the face").click()


def latent_of(page: Page) -> str:
    page.wait_for_url(re.compile(r"[?&]latent="), timeout=TAKES_ITS_TIME_MS)
    return parse_qs(urlsplit(page.url).query)["latent"][0]
