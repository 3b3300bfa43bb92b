"""Chromium, with a person logged in, in front of each page of the handbook's pictures."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import translation
from django.utils.translation import gettext
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from entitlements.management.demo import password_of
from handbook.documents import LANGUAGES
from handbook.rendering import picture_file
from scripts.handbook_pictures.pictures import PICTURES, Picture, Scene

HEIGHT = 760  # of the window
SCALE = 1.5  # pixels of the picture for one of the page
TALLEST = 900  # what a page has below that is left out
COLOURS = 64
LOCALES = {"en": "en-GB", "de": "de-DE"}  # of the browser
# The box of an element that grows with the window, down to the last thing in it, and a little below that.
BOX = """(element) => {
  const {x, y, width, height} = element.getBoundingClientRect();
  const bottom = Math.max(...[...element.children].map((child) => child.getBoundingClientRect().bottom));
  return {x, y, width, height: Math.min(height, bottom - y + 20)};
}"""


def take_pictures(url: str, chromium: str) -> None:
    """All of them, in each language."""
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        for language in LANGUAGES:
            # its own texts, as those of a file field, are in this language where the machine has them
            browser = playwright.chromium.launch(
                executable_path=chromium,
                args=[*arguments, f"--lang={LOCALES[language]}"],
                env=in_language(language),
            )
            take_pictures_of(Scene(language), browser, url)
            browser.close()


def in_language(language: str) -> dict[str, str | float | bool]:
    """The environment of a browser in this language."""
    return {**os.environ, "LANGUAGE": LOCALES[language].replace("-", "_")}


def take_pictures_of(scene: Scene, browser: Browser, url: str) -> None:
    """Those of one language, reader by reader."""
    scene.take()
    for reader in dict.fromkeys(picture.reader for picture in PICTURES):
        with reading(browser, url, scene, reader) as page:
            for picture in PICTURES:
                if picture.reader == reader:
                    take(page, picture, scene)


@contextmanager
def reading(browser: Browser, url: str, scene: Scene, reader: str) -> Iterator[Page]:
    """A page of a fresh browser, in which this person has logged in."""
    context = browser.new_context(
        base_url=url,
        locale=LOCALES[scene.language],
        device_scale_factor=SCALE,
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if reader:
        email = scene.people[reader].email
        page.goto("/login/")
        page.locator("[name=login]").fill(email)
        page.locator("[name=password]").fill(password_of(email))
        page.locator("main button").last.click()
        page.wait_for_url("**/")
    yield page
    context.close()


def take(page: Page, picture: Picture, scene: Scene) -> None:
    """The picture as a small PNG, in its place."""
    page.set_viewport_size({"width": picture.width, "height": HEIGHT})
    page.goto(picture.address(scene))
    if picture.press:
        press(page, picture, scene.language)
    page.wait_for_load_state("networkidle")
    place = picture_file(scene.language, f"{picture.name}.png")
    place.write_bytes(shrunk(shot(page, "body" if picture.dialog else picture.element)))
    print(f"{place} {place.stat().st_size // 1000} kB", flush=True)


def press(page: Page, picture: Picture, language: str) -> None:
    """The button, and what it leads to."""
    with translation.override(language):
        button = page.locator("main").get_by_role("button", name=gettext(picture.press), exact=True)
    button.click()
    if picture.dialog:
        page.get_by_role("dialog").get_by_role("radio").first.wait_for()


def shot(page: Page, element: str) -> bytes:
    """Of this element, from its top to where its content ends."""
    clip: Any = page.locator(element).first.evaluate(BOX)
    clip["height"] = min(clip["height"], HEIGHT if element == "body" else TALLEST)
    return page.screenshot(clip=clip, full_page=True, animations="disabled")


def shrunk(png: bytes) -> bytes:
    """With few colours: a quarter of the bytes, and the same to the eye."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    small = io.BytesIO()
    palette = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(small, "PNG", optimize=True)
    return small.getvalue()
