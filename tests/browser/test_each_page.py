"""Each page is visited once, in German: by axe in light, by axe's rules on colours in the dark, and as on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from accounts.models import User
from tests.browser.chromium import each_page, each_template, reading
from tests.browser.test_accessibility import problems
from tests.browser.test_pages import LEFT_AND_RIGHT, PHONE, console
from tests.browser.visit import NOBODY
from tests.browser.visits import visits
from tests.browser.world import World

pytestmark = pytest.mark.browser

READERS = (
    NOBODY,
    "newcomer",
    "lonely",
    "mobotix",
    "distributor",
    "installer",
    "installer_viewer",
    "other_installer",
)
WIDE = {"width": 1280, "height": 800}
COLOURS = ("color-contrast", "link-in-text-block")  # axe's rules that depend on the scheme
GERMAN: Any = {"viewport": WIDE, "locale": "de"}


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands. The scheme changes colours alone, the language widths."""
    found = problems(page)
    page.emulate_media(color_scheme="dark")
    found += [f"in the dark: {problem}" for problem in problems(page, *COLOURS)]
    page.set_viewport_size(PHONE)
    needed, there = page.evaluate(LEFT_AND_RIGHT)
    found += [f"{needed} px wide, on a phone that has {there}"] if needed > there else []
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    return found


@pytest.mark.parametrize("reader", READERS)
def test_each_page_is_sound(browser: Browser, live_server: Any, world: World, reader: str) -> None:
    """Forms with errors and refusals included. No page scrolls sideways at 320 px, and the console stays quiet."""
    User.objects.update(language="de")
    with (
        reading(browser, live_server.url, world.readers.get(reader), **GERMAN) as page,
        console(page) as complaints,
    ):
        found = {str(visit): faults(page) for visit in each_page(page, world, reader)}
    assert {place: wrong for place, wrong in found.items() if wrong} == {}
    assert complaints == []
    assert found, "a reader without pages"


def test_pages_of_errors_are_sound(browser: Browser, live_server: Any) -> None:
    """400, 500 and the others that have no address."""
    with reading(browser, live_server.url, **GERMAN) as page, console(page) as complaints:
        found = {name: faults(page) for name in each_template(page, live_server.url)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert complaints == []


def test_every_reader_is_here(world: World) -> None:
    """No page of the list is left out for its reader."""
    assert {visit.reader for visit in visits(world)} == set(READERS)


FAULTY = """<html lang="en"><title>A</title>
<style>p { color: #000 } @media (prefers-color-scheme: dark) { p { color: #777; background: #666 } }</style>
<main><h1>A</h1><p>Grey</p><input><div style="width: 400px">Wide</div></main></html>"""


def test_each_fault_is_found(browser: Browser) -> None:
    """The check above is none that cannot fail: a field without a label, grey on grey in the dark, a wide box."""
    with reading(browser, "http://127.0.0.1", **GERMAN) as page:
        page.set_content(FAULTY)
        in_light, in_the_dark, wide = faults(page)
        assert faults(page) == [in_light, in_the_dark, wide], "it does not leave the page as it was"
    assert in_light.startswith("label at")
    assert in_the_dark.startswith("in the dark: color-contrast at")
    assert wide.startswith("408 px wide")
