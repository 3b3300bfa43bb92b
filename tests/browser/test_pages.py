"""Keyboard, dialog, double clicks and the content policy in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from entitlements.models import LineItem
from tests.browser.chromium import reading
from tests.browser.world import World

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
LEFT_AND_RIGHT = "[document.scrollingElement.scrollWidth, window.innerWidth]"


@contextmanager
def console(page: Page) -> Iterator[list[str]]:
    """What the browser complains about: errors of scripts, and what the content policy forbids."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # the page's own 403 or 404 is expected; a missing style sheet, script or picture is not
        own_status = (
            message.text.startswith("Failed to load resource") and message.location["url"] == page.url
        )
        if message.type in ("error", "warning") and not own_status:
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    yield complaints


def test_the_console_is_heard(browser: Browser, live_server: Any) -> None:
    """The check of the console is none that cannot fail: an inline script is refused, and that is seen."""
    with reading(browser, live_server.url) as page, console(page) as complaints:
        page.goto(reverse("account_login"))
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
        page.wait_for_timeout(100)
    assert "Content Security Policy" in str(complaints)


def split_path(world: World) -> str:
    return reverse("line_item_split", args=[world.chain.installed.pk])


def chosen_path(world: World) -> str:
    """The split page with account and contact chosen."""
    cast = world.cast
    return f"{split_path(world)}?account={cast.customer.pk}&contact={cast.customer_contact.pk}"


def splits_of(world: World) -> int:
    return LineItem.objects.filter(parent=world.chain.installed).count()


def focus(page: Page, *, on: Any, key: str = "Tab", presses: int = 60) -> None:
    """Press the key until the focus is there."""
    for _press in range(presses):
        page.keyboard.press(key)
        if on.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"The keyboard does not reach {on}")


def test_split_by_keyboard_alone(browser: Browser, live_server: Any, world: World) -> None:
    """From the list to the new Activation ID: Tab, Space, Enter and Escape."""
    before = splits_of(world)
    with reading(browser, live_server.url, world.cast.installer) as page:
        page.goto(reverse("line_item_list"))
        row = page.get_by_role("row").filter(has_text=world.chain.installed.activation_id)
        focus(page, on=row.get_by_role("checkbox"))
        page.keyboard.press("Space")
        summary = page.locator("main summary", has_text="Action")
        focus(page, on=summary, key="Shift+Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Split", exact=True)).to_be_hidden()
        expect(summary).to_be_focused()
        page.keyboard.press("Enter")
        focus(page, on=page.get_by_role("button", name="Split", exact=True))
        page.keyboard.press("Enter")
        magnifier = page.get_by_role("button", name="Choose an account")
        magnifier.wait_for()
        focus(page, on=magnifier)
        page.keyboard.press("Enter")
        pick_by_keyboard(page, world)
        complete_by_keyboard(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("The line item is split")
    assert splits_of(world) == before + 1


def pick_by_keyboard(page: Page, world: World) -> None:
    """The focus goes into the dialog; account, Next, contact, Save."""
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2).first).to_be_focused()
    choose_by_keyboard(page, dialog.get_by_role("radio", name=world.cast.customer.name))
    focus(page, on=dialog.get_by_role("button", name="Next"))
    page.keyboard.press("Enter")
    contact = dialog.get_by_role("radio", name=str(world.cast.customer_contact))
    contact.wait_for()
    choose_by_keyboard(page, contact)
    focus(page, on=dialog.get_by_role("button", name="Save"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Target Account")).to_have_value(re.compile(re.escape(world.cast.customer.name)))


def choose_by_keyboard(page: Page, radio: Any) -> None:
    """Tab reaches a group of radio buttons, the arrows its members."""
    group = radio.locator("xpath=ancestor::fieldset[1]").get_by_role("radio")
    inside = "(radios) => radios.includes(document.activeElement)"
    while not group.evaluate_all(inside):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _press in range(group.count()):
        if radio.is_checked():
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError("The arrows do not reach the radio button")


def complete_by_keyboard(page: Page) -> None:
    """Amount, Split by Enter, Complete."""
    amount = page.get_by_label("Split Amount")
    focus(page, on=amount)
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    complete = page.get_by_role("button", name="Complete")
    complete.wait_for()
    focus(page, on=complete)
    page.keyboard.press("Enter")


def test_the_dialog_gives_the_focus_back(browser: Browser, live_server: Any, world: World) -> None:
    """Into the dialog when it opens, back to the magnifier when it closes, and what was typed stays."""
    with reading(browser, live_server.url, world.cast.installer) as page:
        page.goto(split_path(world))
        page.get_by_label("Split Amount").fill("3")
        magnifier = page.get_by_role("button", name="Choose an account")
        magnifier.click()
        expect(page.get_by_role("dialog").get_by_role("heading", level=2).first).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(magnifier).to_be_focused()
        expect(page.get_by_label("Split Amount")).to_have_value("3")
        assert page.url.startswith(urljoin(live_server.url, split_path(world)))


def test_split_where_htmx_is_blocked(browser: Browser, live_server: Any, world: World) -> None:
    """A firewall that eats htmx: the magnifier is a page, and nothing typed is lost on the way."""
    before = splits_of(world)
    with reading(browser, live_server.url, world.cast.installer) as page:
        page.route("**/*htmx*", lambda route: route.abort())
        page.goto(split_path(world))
        page.get_by_label("Split Amount").fill("2")
        page.get_by_role("button", name="Choose an account").click()
        page.get_by_role("radio", name=world.cast.customer.name).check()
        page.get_by_role("button", name="Next").click()
        page.get_by_role("radio", name=str(world.cast.customer_contact)).check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Split Amount")).to_have_value("2")
        page.get_by_role("button", name="Split", exact=True).click()
        page.get_by_role("button", name="Complete").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The line item is split")
    assert splits_of(world) == before + 1


def complete(page: Page, world: World, *, clicks: int = 1) -> None:
    """From the chosen account to the result."""
    page.goto(chosen_path(world))
    page.get_by_label("Split Amount").fill("2")
    page.get_by_role("button", name="Split", exact=True).click()
    page.get_by_role("button", name="Complete").click(click_count=clicks, no_wait_after=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("The line item is split")


def test_a_double_click_splits_once(browser: Browser, live_server: Any, world: World) -> None:
    """E7: a double click on Complete makes one split."""
    before = splits_of(world)
    with reading(browser, live_server.url, world.cast.installer) as page:
        complete(page, world, clicks=2)
        page.wait_for_load_state("networkidle")
    assert splits_of(world) == before + 1


def test_a_request_that_arrives_twice_splits_once(browser: Browser, live_server: Any, world: World) -> None:
    """E7: without the script, or by a bad line, the very same request comes twice; both get the same answer."""
    before = splits_of(world)
    answers = []

    def send_twice(route: Route) -> None:
        if "complete" in (route.request.post_data or ""):
            answers.append(route.fetch(max_redirects=0).headers["location"])
        route.continue_()

    with reading(browser, live_server.url, world.cast.installer, java_script_enabled=False) as page:
        page.route("**/split/?draft=*", send_twice)
        complete(page, world)
        assert page.url == urljoin(live_server.url, answers[0])
    assert splits_of(world) == before + 1


def test_the_focus_goes_to_the_first_field_that_is_wrong(
    browser: Browser, live_server: Any, world: World
) -> None:
    """Whoever does not see the page hears at once what to correct."""
    with reading(browser, live_server.url, world.cast.installer) as page:
        page.goto(reverse("account_create", args=["customer"]))
        page.locator("main form").evaluate("(form) => { form.noValidate = true; form.requestSubmit(); }")
        first = page.locator("main .is-invalid").first
        expect(first).to_be_focused()
