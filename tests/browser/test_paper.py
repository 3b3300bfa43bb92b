"""What is printed: A4 upright, every column and box, no button."""

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from accounts.models import User
from tests.browser.chromium import reading
from tests.browser.world import World

PDFTOTEXT = os.environ.get("TEST_PDFTOTEXT") or shutil.which("pdftotext") or ""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PDFTOTEXT, reason="needs pdftotext: apt-get install poppler-utils"),
]
A4 = (595, 842)  # points
PAPER = {"width": 703, "height": 1020}  # pixels between the margins
BEYOND = """() => {
  const shown = [...document.querySelectorAll("main :is(td, th, p, dd, li, svg, section)")];
  return shown.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.textContent.trim());
}"""
CUT = """() => [...document.querySelectorAll("main :is(td, th)")]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.trim())"""
HEADINGS = "(all) => all.filter((one) => !one.checkVisibility()).map((one) => one.textContent.trim())"
TO_PRESS = "body :is(button, .btn, input, select, summary)"
SEEN = "(all) => all.filter((one) => one.checkVisibility() && one.tagName !== 'SUMMARY').map((one) => one.outerHTML)"


def text_of(pdf: Path) -> str:
    return subprocess.run([PDFTOTEXT, pdf, "-"], check=True, capture_output=True, text=True).stdout


def letters(text: str) -> Counter[str]:
    """Which letters and digits, and how many: words of a narrow cell are broken anywhere."""
    return Counter(character for character in text if character.isalnum() and character.isascii())


@pytest.mark.parametrize("language", ["en", "de"])
def test_paper(browser: Browser, live_server: Any, world: World, tmp_path: Path, language: str) -> None:
    """List, item, history and license: nothing is lost at the edge, nothing to press is on the paper, dark or not."""
    User.objects.update(language=language)
    paths = {
        "list": reverse("line_item_list"),
        "item": reverse("line_item_detail", args=[world.activated.pk]),
        "history": reverse("line_item_history", args=[world.chain.issued.pk]),
        "license": reverse("license_detail", args=[world.licenses[1].license_id]),
    }
    with reading(browser, live_server.url, world.cast.mobotix, color_scheme="dark", viewport=PAPER) as page:
        for name, path in paths.items():
            page.goto(path)
            check_paper(page, tmp_path / f"{name}.pdf")


def check_paper(page: Page, pdf: Path) -> None:
    """The page as it is printed, and what can be read of it."""
    page.emulate_media(media="print")
    page.evaluate(
        "document.querySelectorAll('.visually-hidden').forEach((one) => one.remove())"
    )  # for ears alone
    assert page.evaluate(BEYOND) == [], pdf.name
    assert page.evaluate(CUT) == [], pdf.name
    assert page.locator("main :is(h1, h2, h3)").evaluate_all(HEADINGS) == [], pdf.name
    assert page.locator(TO_PRESS).evaluate_all(SEEN) == [], pdf.name
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    expected = letters(page.locator("main").inner_text())
    pdf.write_bytes(page.pdf(prefer_css_page_size=True))
    assert {tuple(map(round, sheet.mediabox[2:])) for sheet in PdfReader(pdf).pages} == {A4}
    assert expected - letters(text_of(pdf)) == Counter(), pdf.name
