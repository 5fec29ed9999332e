"""The page in headless Chromium: what its keys, buttons and addresses do, with and without its script."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from jobs.contract import Lane
from jobs.queue import DEFAULT_POLICY
from tests.app.conftest import MakeWeb, Web
from tests.app.pages.conftest import OpenPage
from tests.app.pages.watching import FACE, is_the_face_of, next_by, seed_of
from tests.app.service import until

pytestmark = pytest.mark.browser


def test_without_a_script_a_reload_is_another_face(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    first = seed_of(page)
    assert is_the_face_of(page, first)
    page.reload()
    second = seed_of(page)
    assert second != first
    assert is_the_face_of(page, second)
    third = next_by(page, lambda: page.locator("#frame").click())
    assert is_the_face_of(page, third)
    assert not page.locator("#copy").is_visible()


def test_the_first_view_takes_one_face_of_the_pool(open_page: OpenPage, web: Web) -> None:
    page = open_page(java_script_enabled=False)
    assert is_the_face_of(page, seed_of(page))
    assert web.metric('personne_faces_from_pool_total{hit="yes"}') == 1


@pytest.mark.parametrize("how", ["space", "click", "button", "right arrow"])
def test_the_next_face(open_page: OpenPage, how: str) -> None:
    page = open_page()
    ways: dict[str, Callable[[], None]] = {
        "space": lambda: page.keyboard.press(" "),
        "click": lambda: page.locator("#frame").click(),
        "button": lambda: page.locator("#next").click(),
        "right arrow": lambda: page.keyboard.press("ArrowRight"),
    }
    seeds = [seed_of(page), *(next_by(page, ways[how]) for _ in range(3))]
    assert len(set(seeds)) == 4
    assert is_the_face_of(page, seeds[-1])
    assert page.title() == f"Nobody {seeds[-1]} – personne"
    assert seeds[-1] in (page.locator(FACE).get_attribute("alt") or "")


def test_back_and_forth_by_arrows_and_by_the_browser(open_page: OpenPage) -> None:
    page = open_page()
    seeds = [seed_of(page), *(next_by(page, lambda: page.keyboard.press(" ")) for _ in range(2))]
    assert next_by(page, lambda: page.keyboard.press("ArrowLeft")) == seeds[1]
    assert next_by(page, lambda: page.keyboard.press("ArrowLeft")) == seeds[0]
    assert is_the_face_of(page, seeds[0])
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#said")).to_have_text("This is the first face.")
    assert next_by(page, lambda: page.keyboard.press("ArrowRight")) == seeds[1]
    assert next_by(page, lambda: page.evaluate("history.forward()")) == seeds[2]
    assert next_by(page, lambda: page.evaluate("history.back()")) == seeds[1]


def test_the_address_restores_the_face(open_page: OpenPage) -> None:
    page = open_page()
    seed = next_by(page, lambda: page.keyboard.press(" "))
    assert parse_qs(urlsplit(page.url).query)["seed"] == [seed]
    page.reload()
    assert seed_of(page) == seed
    assert is_the_face_of(page, seed)
    elsewhere = open_page(page.url)
    assert seed_of(elsewhere) == seed
    assert is_the_face_of(elsewhere, seed)


def test_going_back_after_a_reload(open_page: OpenPage) -> None:
    page = open_page()
    first = seed_of(page)
    next_by(page, lambda: page.keyboard.press(" "))
    page.reload()
    assert next_by(page, lambda: page.keyboard.press("ArrowLeft")) == first
    assert is_the_face_of(page, first)


def test_copying_the_link(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    seed = next_by(page, lambda: page.keyboard.press(" "))
    page.keyboard.press("c")
    expect(page.locator("#said")).to_have_text("Link copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    assert parse_qs(urlsplit(link).query)["seed"] == [seed]


def test_a_link_is_to_this_face_although_the_address_names_none(open_many: OpenPage) -> None:
    page = open_many("/?model=animals", permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    expect(page.locator("#said")).to_have_text("Link copied.")
    query = parse_qs(urlsplit(page.evaluate("navigator.clipboard.readText()")).query)
    assert query["seed"] == [seed_of(page)]


def test_without_a_clipboard_the_link_is_shown(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('none')); }")
    page.locator("#copy").click()
    expect(page.locator("#said")).to_contain_text(f"seed={seed_of(page)}")


@pytest.mark.parametrize("how", ["key", "click"])
def test_saving_the_picture(open_page: OpenPage, how: str) -> None:
    page = open_page()
    seed = next_by(page, lambda: page.keyboard.press(" "))
    with page.expect_download() as downloading:
        page.keyboard.press("s") if how == "key" else page.locator("#save").click()
    assert downloading.value.suggested_filename == f"personne-{seed}.jpg"
    with Image.open(downloading.value.path()) as saved:
        assert saved.size == (64, 64)


def test_help_shows_the_keys_and_closes(open_page: OpenPage) -> None:
    page = open_page()
    seed = seed_of(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    downloads: list[object] = []
    page.on("download", lambda one: downloads.append(one))  # noqa: PLW0108  # Playwright marks what it calls
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_timeout(300)
    assert not downloads
    assert seed_of(page) == seed


def test_an_unreachable_service_is_said_and_can_be_retried(open_page: OpenPage) -> None:
    page = open_page(expect_complaints=True)
    page.wait_for_load_state("networkidle")
    page.route("**/face", lambda route: route.abort())
    first = next_by(page, lambda: page.keyboard.press(" "))
    page.keyboard.press(" ")
    expect(page.locator("#said")).to_have_text("The service cannot be reached.")
    assert seed_of(page) == first
    page.unroute("**/face")
    second = next_by(page, lambda: page.get_by_role("button", name="Try again").click())
    assert is_the_face_of(page, second)
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_step_back_to_what_cannot_be_had_leaves_the_address_at_what_is_shown(open_page: OpenPage) -> None:
    """The address named the face before, and so did a link that was copied, a reload and what was edited next."""
    page = open_page("/?seed=7", expect_complaints=True)
    page.wait_for_load_state("networkidle")
    shown = next_by(page, lambda: page.keyboard.press(" "))
    page.reload()  # so that the page has forgotten seed 7
    page.wait_for_load_state("networkidle")
    address = page.url
    page.route("**/v1/faces/**", lambda route: route.abort())
    page.evaluate("history.back()")
    expect(page.get_by_role("status")).to_contain_text("cannot be reached")
    expect(page).to_have_url(address)
    assert seed_of(page) == shown
    page.unroute("**/v1/faces/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#seed")).to_have_text("7")
    assert "seed=7" in page.url


def test_what_failed_unasked_is_not_told_of_later(open_page: OpenPage) -> None:
    page = open_page(expect_complaints=True)
    page.wait_for_load_state("networkidle")
    with page.expect_event("requestfailed"):
        page.route("**/face", lambda route: route.abort())
        next_by(page, lambda: page.keyboard.press(" "))
    page.unroute("**/face")
    second = next_by(page, lambda: page.keyboard.press(" "))
    assert is_the_face_of(page, second)
    expect(page.locator("#said")).to_have_text(f"Nobody {second}")


def test_a_spare_face_says_so_and_no_other_does(open_page: OpenPage) -> None:
    page = open_page()
    page.wait_for_load_state("networkidle")

    def as_a_spare(route: Route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, headers={**reply.headers, "Personne-Spare": "yes"})

    notice = page.get_by_text("This one came with the service.")
    expect(notice).to_be_hidden()
    next_by(page, lambda: page.keyboard.press(" "))
    page.wait_for_load_state("networkidle")
    page.route("**/face", as_a_spare)
    next_by(page, lambda: page.keyboard.press(" "))
    page.wait_for_load_state("networkidle")
    next_by(page, lambda: page.keyboard.press(" "))
    expect(notice).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(notice).to_be_hidden()


def test_with_nobody_there_the_page_says_so_and_offers_to_retry(browser: Browser, make_web: MakeWeb) -> None:
    web = make_web(working=False)
    context = browser.new_context(base_url=str(web.client.base_url))
    page = context.new_page()
    reply = page.goto("/")
    assert reply is not None
    assert reply.status == 503
    expect(page.get_by_role("alert")).to_contain_text("No live worker serves model")
    with web.painter:
        until(lambda: web.client.get("/readyz").status_code == 200)
        page.get_by_role("link", name="Try again").click()
        assert is_the_face_of(page, seed_of(page))
    context.close()


def test_a_full_queue_is_said_in_the_page(make_web: MakeWeb, browser: Browser) -> None:
    policy = replace(DEFAULT_POLICY, lane_caps={**DEFAULT_POLICY.lane_caps, Lane.QUICK: 1})
    web = make_web(policy=policy)
    context = browser.new_context(base_url=str(web.client.base_url))
    page = context.new_page()
    page.goto("/")
    page.wait_for_load_state("networkidle")
    next_by(page, lambda: page.keyboard.press(" "))
    page.wait_for_load_state("networkidle")
    with web.held(), ThreadPoolExecutor(1) as pool:
        filling = pool.submit(web.client.get, "/v1/faces/1.png")
        until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 1)
        next_by(page, lambda: page.keyboard.press(" "))
        page.keyboard.press(" ")
        expect(page.get_by_role("status")).to_contain_text("holds its limit of 1 waiting jobs")
        web.painter.holding.clear()
        filling.result()
    next_by(page, lambda: page.get_by_role("button", name="Try again").click())
    context.close()
