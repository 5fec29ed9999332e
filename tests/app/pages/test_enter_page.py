"""A person with a key, in a browser: in by the page, on by its own fetches, and out again."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.access.keys import Scope
from tests.app.conftest import MakeWeb
from tests.app.keyed import keyed, make_key

pytestmark = pytest.mark.browser


def test_a_person_enters_refreshes_and_leaves(browser: Browser, make_web: MakeWeb, tmp_path: Path) -> None:
    web = make_web(keyed(tmp_path))
    key = make_key(tmp_path, Scope.READ, Scope.GENERATE)
    address = str(web.client.base_url)
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_label("Your key")).to_be_visible()
        page.get_by_label("Your key").fill("psn_wrong")
        page.get_by_role("button", name="Enter").click()
        expect(page.get_by_role("alert")).to_contain_text("opens nothing here")
        page.get_by_label("Your key").fill(key)
        page.get_by_role("button", name="Enter").click()
        page.wait_for_url(lambda url: "/enter" not in url)
        with page.expect_response(lambda reply: "/face" in reply.url and reply.ok):
            page.keyboard.press("Space")
        assert page.evaluate("document.cookie") == "", "no script reads it"
        page.goto(f"{address}/enter")
        page.get_by_role("button", name="Leave").click()
        expect(page.get_by_label("Your key")).to_be_visible()
        page.goto(f"{address}/?seed=7&truncation_psi=0.5")
        page.get_by_label("Your key").fill(key)
        page.get_by_role("button", name="Enter").click()
        page.wait_for_url(lambda url: url.endswith("/?seed=7&truncation_psi=0.5"))
        expect(page.locator("#seed")).to_have_text("7")
    finally:
        context.close()
