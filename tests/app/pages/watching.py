"""What a person sees of the page: whose face it says, and whose it shows."""

import io
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, Route, expect

FACE = "#face"


def seed_of(page: Page) -> str:
    return page.locator("#seed").inner_text()


def shown_colour(page: Page) -> tuple[int, int, int]:
    """What the screen shows in the middle of the face: the painter's colour is the seed's."""
    shot = Image.open(io.BytesIO(page.locator(FACE).screenshot(animations="disabled"))).convert("RGB")
    red, green, blue = shot.getpixel((shot.width // 2, shot.height // 2))  # type: ignore[misc]
    return red, green, blue


def is_the_face_of(page: Page, seed: str) -> bool:
    painted = [(int(seed) >> shift) & 255 for shift in (0, 8, 16)]
    return max(abs(a - b) for a, b in zip(shown_colour(page), painted, strict=True)) < 12


def next_by(page: Page, act: Callable[[], None]) -> str:
    before = seed_of(page)
    act()
    expect(page.locator("#seed")).not_to_have_text(before)
    return seed_of(page)


def choose_before_the_script(page: Page, address: str, script: str, file: Path) -> None:
    """Open the page, choose the file while the script is still on its way, and let it come."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/{script}*", hold)
    page.goto(address, wait_until="commit")
    page.set_input_files("#photo", file)
    assert page.locator("#photo").evaluate("photo => photo.files.length") == 1
    held[0].continue_()
    page.unroute(f"**/{script}*")


def faults(page: Page) -> list[str]:
    """What axe-core finds that somebody could not see, hear or reach, and where. For pages opened with bypass_csp: they
    forbid to be given scripts, as they should."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]
