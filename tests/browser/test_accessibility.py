"""axe-core finds nothing while dialogs and menus are open, light and dark, wide and narrow."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page

from tests.browser.chromium import reading
from tests.browser.world import World

pytestmark = pytest.mark.browser

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
each_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])


def problems(page: Page, *rules: str) -> list[str]:
    """What axe finds, once nothing moves any more, by these rules or all."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
    violations: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [
        f"{violation['id']} at {node['target']}: {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


@each_scheme
def test_axe_finds_nothing_in_the_dialog(
    browser: Browser, live_server: Any, world: World, scheme: Any
) -> None:
    """The magnifier's two steps, and the warning when nothing is ticked."""
    path = reverse("line_item_split", args=[world.chain.installed.pk])
    with reading(browser, live_server.url, world.cast.installer, color_scheme=scheme) as page:
        page.goto(path)
        dialog = page.get_by_role("dialog")
        page.get_by_role("button", name="Choose an account").click()
        dialog.get_by_role("button", name="Next").wait_for()
        found = {"account": problems(page)}
        dialog.get_by_role("button", name="Next").click()
        dialog.get_by_role("alert").wait_for()
        found["nothing ticked"] = problems(page)
        dialog.get_by_role("radio", name=world.cast.customer.name).check()
        dialog.get_by_role("button", name="Next").click()
        dialog.get_by_role("button", name="Save").wait_for()
        found["contact"] = problems(page)
    assert {step: wrong for step, wrong in found.items() if wrong} == {}


@each_scheme
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "narrow"])
def test_axe_finds_nothing_in_open_menus(
    browser: Browser, live_server: Any, world: World, viewport: Any, scheme: Any
) -> None:
    """Each menu of the list, open."""
    options = {"viewport": viewport, "color_scheme": scheme}
    with reading(browser, live_server.url, world.cast.mobotix, **options) as page:
        page.goto(reverse("line_item_list"))
        found = dict(open_menus(page, "main"))
        if viewport == PHONE:
            page.get_by_role("button", name="Menu", exact=True).click()
        found |= dict(open_menus(page, "header nav"))
    assert {menu: wrong for menu, wrong in found.items() if wrong} == {}
    assert len(found) == 4


def open_menus(page: Page, place: str) -> Iterator[tuple[str, list[str]]]:
    """Each menu in that place with what axe finds while it is open."""
    for summary in page.locator(f"{place} summary").all():
        summary.click()
        yield summary.inner_text(), problems(page)


def test_axe_would_find_something(browser: Browser) -> None:
    """The check above is none that cannot fail."""
    page = browser.new_page()
    page.set_content("<html lang='en'><title>A</title><main><h1>A</h1><input></main></html>")
    assert any("label" in problem for problem in problems(page))
    page.close()
