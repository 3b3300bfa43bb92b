"""P1: the API's description as a page, under the portal's own Content-Security-Policy."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import reading
from tests.browser.test_pages import console

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_page_shows_every_operation(browser: Browser, live_server: Any) -> None:
    """Without a login, and nothing of it comes from elsewhere."""
    with reading(browser, live_server.url) as page, console(page) as complaints:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/api/v1/docs")
        expect(page.get_by_role("heading", name="Mx License Portal")).to_be_visible()
        shown = page.locator(".opblock").count()
        described = page.request.get("/api/v1/openapi.json").json()["paths"]
    assert shown == sum(len(operations) for operations in described.values())
    assert {url for url in asked if not url.startswith((live_server.url, "data:"))} == set()
    assert complaints == []
