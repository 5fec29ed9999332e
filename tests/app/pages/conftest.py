"""Headless Chromium on a web with a filled pool."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, sync_playwright

from app.config import AppConfig
from tests.app.conftest import MakeWeb, Web
from tests.app.service import manifest, until
from tests.app.translating import Studio

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHIFTS = """
window.shifts = 0;
window.shifted = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) {
    window.shifts += entry.value;
    for (const { node, previousRect: from, currentRect: to } of entry.sources)
      window.shifted.push([entry.value, node?.id || node?.nodeName, from.toJSON(), to.toJSON()]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
OpenPage = Callable[..., Page]
MANY = (
    manifest(),
    manifest("animals", sha256="b" * 64, c_dim=3, class_names=("cat", "dog", "wild"), licence="CC BY-NC 4.0"),
    manifest("things", sha256="c" * 64, c_dim=1000),
    manifest("moved", sha256="d" * 64, family="stylegan3", c_dim=2, licence="NVIDIA Source Code License"),
)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = shutil.which("chromium")
    assert found, "These tests drive Debian's chromium: apt-get install chromium."
    browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    web = make_web(AppConfig(ready_faces=8, request_timeout_s=5.0))
    until(lambda: web.metric("personne_ready_faces") == 8)
    return web


@pytest.fixture
def many(make_web: MakeWeb) -> Web:
    """A web with a plain model, one with named classes, one with a thousand of them, and one that can be moved."""
    return make_web(models=MANY)


@pytest.fixture
def open_many(browser: Browser, many: Web) -> Iterator[OpenPage]:
    """As `open_page`, of the web with many models."""
    with opener(browser, many) as open_it:
        yield open_it


@pytest.fixture
def open_page(browser: Browser, web: Web) -> Iterator[OpenPage]:
    """Pages of the web with one model."""
    with opener(browser, web) as open_it:
        yield open_it


@contextmanager
def opener(browser: Browser, web: Web | Studio) -> Iterator[OpenPage]:
    """Open the page in a context of its own. What the console says, and requests to anybody else, fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    origin = str(web.client.base_url)

    def foreign(request: Request) -> None:
        if not request.url.startswith((origin, "data:", "blob:")):
            complaints.append(f"a request left the origin: {request.url}")

    def open_it(path: str = "/", expect_complaints: bool = False, **options: object) -> Page:
        context = browser.new_context(base_url=origin, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("request", foreign)
        if not expect_complaints:
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(SHIFTS)
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []
