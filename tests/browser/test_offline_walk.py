"""Offline activation in a browser: by file, by camera, by typed fields; with and without a login, and scripts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import segno
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from entitlements.activation.formats.license_files import read, unpack
from entitlements.models import LineItem
from tests.browser.chromium import reading
from tests.browser.test_accessibility import each_scheme, problems
from tests.browser.test_pages import LEFT_AND_RIGHT, PHONE, console
from tests.browser.world import World
from tests.entitlements.activation.devices import MAC, balances
from tests.entitlements.activation.test_offline import mistyped
from tests.entitlements.activation.test_offline_pages import text_of
from tests.factories import split_item

pytestmark = pytest.mark.browser
each_way = pytest.mark.parametrize("scripted", [True, False], ids=["JavaScript", "without"])

# A browser that reads QR codes: its camera shows an empty picture, in which the second look finds the text.
CAMERA = """(text) => {
  let looks = 0;
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ["qr_code"]; }
    async detect() { looks += 1; return looks > 1 && text ? [{ rawValue: text }] : []; }
  };
  navigator.mediaDevices.getUserMedia = async () => {
    if (text === null) throw new DOMException("no", "NotAllowedError");
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").fillRect(0, 0, 8, 8);
    window.stream = canvas.captureStream(10);
    return window.stream;
  };
}"""
# What a camera would see of a QR code: its modules as 0 and 1, read in the middle of each from the drawn picture.
MODULES = """async ([svg, count]) => {
  const image = new Image();
  image.src = "data:image/svg+xml;base64," + btoa(svg);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = count * 8;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const dark = (row, column) => data[((row * 8 + 4) * canvas.width + column * 8 + 4) * 4] < 128;
  const places = [...Array(count).keys()];
  return places.map((row) => places.map((column) => (dark(row, column) ? 1 : 0)));
}"""


@pytest.fixture
def second(world: World) -> LineItem:
    """3 copies more of the end customer's."""
    return split_item(world.cast.installer, world.chain.installed, world.cast.customer, copies=3)


def open_way(page: Page, label: str) -> None:
    page.goto(reverse("offline_activation"))
    card = page.locator("details.mx-card").filter(has=page.locator("summary", has_text=label))
    if card.get_attribute("open") is None:
        card.locator("summary").click()


def download(page: Page, link: Any) -> str:
    with page.expect_download() as waiting:
        link.click()
    assert re.fullmatch(r"license-[0-9A-F-]+\.lic", waiting.value.suggested_filename, re.IGNORECASE)
    return Path(waiting.value.path()).read_text()


@each_way
def test_by_file_without_a_login(
    browser: Browser, live_server: Any, world: World, second: LineItem, tmp_path: Path, scripted: bool
) -> None:
    """L3: the way of who serves an end customer: two Activation IDs in one file, in German; a replay; a return."""
    served, before = world.chain.served, balances(world.chain.served)[2]
    file = tmp_path / "request.json"
    file.write_text(text_of((served, before + 1), (second, 2)))
    with reading(browser, live_server.url, java_script_enabled=scripted, locale="de") as page:
        for _time in range(2):  # the second time is a replay
            open_way(page, "Anforderungsdatei hochladen")
            page.get_by_label("Anforderungsdatei").set_input_files(file)
            page.get_by_role("button", name="Hochladen und prüfen").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Anforderung prüfen")
            page.get_by_role("button", name="Ausführen").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Die Anforderung ist ausgeführt")
        texts = [
            download(page, link) for link in page.get_by_role("link", name="Lizenzdatei herunterladen").all()
        ]
        with page.expect_download() as together:
            page.get_by_role("link", name="Alle als ZIP herunterladen").click()
        assert together.value.suggested_filename == "licenses.zip"
        file.write_text(text_of((second, 0)))
        open_way(page, "Anforderungsdatei hochladen")
        page.get_by_label("Anforderungsdatei").set_input_files(file)
        page.get_by_role("button", name="Hochladen und prüfen").click()
        expect(page.locator("main")).to_contain_text("2 Kopien werden zurückgegeben.")
        page.get_by_role("button", name="Ausführen").click()
        expect(page.locator("main")).to_contain_text("Alle Kopien sind zurückgegeben.")
    ids = (served.activation_id, second.activation_id)
    documents = [
        read(unpack(text), activation_id=name, host_id=MAC) for text, name in zip(texts, ids, strict=True)
    ]
    assert [one["included"][0]["attributes"]["copies"] for one in documents] == [before + 1, 2]
    assert balances(second) == (3, 3, 0)


@each_way
def test_typed_by_a_user(
    browser: Browser, live_server: Any, world: World, second: LineItem, scripted: bool
) -> None:
    """E5, E13: own stock and a customer's; a typing error is said at its field, and nothing typed is lost."""
    stock = world.chain.installed
    before = balances(stock)[2]
    with reading(browser, live_server.url, world.cast.installer, java_script_enabled=scripted) as page:
        page.goto(reverse("home"))
        page.locator("header summary", has_text="Activation & Entitlements").click()
        page.get_by_role("link", name="Offline activation").click()
        page.locator("summary", has_text="Type the fields").click()
        page.get_by_label("Host ID", exact=True).fill("0003c5aabbcc")
        page.get_by_label("Name of the device").fill("Car park")
        page.get_by_label("Activation ID").fill(mistyped(stock))
        page.get_by_role("button", name="Add another Activation ID").click()
        expect(page.get_by_label("Activation ID")).to_have_count(2)
        page.get_by_label("Activation ID").nth(1).fill(second.activation_id.lower())
        page.get_by_label("Copies on this device").nth(1).fill("3")
        page.get_by_label("Host ID", exact=True).press("Enter")

        expect(page.locator(".invalid-feedback")).to_contain_text("typing error")
        expect(page.get_by_label("Host ID", exact=True)).to_have_value("0003c5aabbcc")
        expect(page.get_by_label("Copies on this device").nth(1)).to_have_value("3")
        page.get_by_label("Activation ID").first.fill(stock.activation_id)
        page.get_by_role("button", name="Check the request").last.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check the request")
        page.get_by_role("button", name="Change the fields").click()
        expect(page.get_by_label("Name of the device")).to_have_value("Car park")
        page.get_by_role("button", name="Check the request").last.click()
        page.get_by_role("button", name="Carry out").click()
        expect(page.get_by_role("link", name="Download the license file")).to_have_count(2)
    assert balances(stock)[2] == before + 1
    assert balances(second) == (3, 0, 3)


@each_scheme
def test_by_camera(browser: Browser, live_server: Any, world: World, scheme: Any) -> None:
    """L3: the button shows itself where the browser reads QR codes; what it reads is sent, and looked at first."""
    text = text_of((world.chain.served, 1))
    options: Any = {"color_scheme": scheme, "viewport": PHONE}
    with reading(browser, live_server.url, **options) as page, console(page) as complaints:
        page.add_init_script(f"({CAMERA})({json.dumps(text)})")
        open_way(page, "Scan the QR code")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check the request")
        expect(page.locator("main")).to_contain_text(world.chain.served.activation_id)
    assert complaints == []


@each_scheme
def test_a_camera_that_finds_nothing(browser: Browser, live_server: Any, world: World, scheme: Any) -> None:
    """It can be stopped, by the keyboard, too, and the camera goes out; axe finds nothing, and nothing is too wide."""
    options: Any = {"color_scheme": scheme, "viewport": PHONE}
    with reading(browser, live_server.url, **options) as page:
        page.add_init_script(f"({CAMERA})('')")
        open_way(page, "Scan the QR code")
        page.get_by_role("button", name="Scan with the camera").click()
        stop = page.get_by_role("button", name="Stop")
        expect(stop).to_be_focused()
        assert problems(page) == []
        needed, there = page.evaluate(LEFT_AND_RIGHT)
        assert needed <= there
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Scan with the camera")).to_be_focused()
        assert page.evaluate("window.stream.active") is False
        expect(page.locator("video")).to_be_hidden()


def test_a_camera_that_is_denied(browser: Browser, live_server: Any, world: World) -> None:
    """A sentence says what to do instead."""
    with reading(browser, live_server.url) as page:
        page.add_init_script(f"({CAMERA})(null)")
        open_way(page, "Scan the QR code")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.get_by_role("status")).to_contain_text("paste the text of the QR code")


@each_way
def test_where_the_browser_reads_no_codes(
    browser: Browser, live_server: Any, world: World, scripted: bool
) -> None:
    """L3: no button; a hand-held scanner types into the field."""
    with reading(browser, live_server.url, java_script_enabled=scripted) as page:
        page.add_init_script("delete window.BarcodeDetector")
        open_way(page, "Scan the QR code")
        expect(page.get_by_role("button", name="Scan with the camera")).to_be_hidden()
        page.get_by_label("Text of the QR code").fill(text_of((world.chain.served, 1)))
        page.get_by_role("button", name="Check the request").last.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check the request")


def test_the_qr_code_is_the_file(browser: Browser, live_server: Any, world: World) -> None:
    """L3: module by module, as the browser draws it, with its white border; large enough to be scanned from a phone."""
    options: Any = {"viewport": PHONE, "color_scheme": "dark"}
    with reading(browser, live_server.url, **options) as page:
        open_way(page, "Scan the QR code")
        page.get_by_label("Text of the QR code").fill(text_of((world.chain.served, 1)))
        page.get_by_role("button", name="Check the request").last.click()
        page.get_by_role("button", name="Carry out").click()
        text = download(page, page.get_by_role("link", name="Download the license file"))
        page.locator("summary", has_text="Show as QR code").click()
        picture = page.locator(".mx-qr svg")
        expect(picture).to_be_visible()
        box = picture.bounding_box()
        assert box
        assert box["width"] > PHONE["width"] * 0.7
        code = segno.make_qr(text, error="l")
        count = code.symbol_size(border=4)[0]
        drawn = picture.evaluate("(svg) => new XMLSerializer().serializeToString(svg)")
        assert page.evaluate(MODULES, [drawn, count]) == [list(row) for row in code.matrix_iter(border=4)]


@each_scheme
def test_who_guesses_waits(
    browser: Browser, live_server: Any, world: World, settings: Any, scheme: Any
) -> None:
    """L3: 429 says for how long; axe finds nothing."""
    settings.ACTIVATION_MISSES_AN_HOUR = 1
    with reading(browser, live_server.url, color_scheme=scheme) as page:
        open_way(page, "Scan the QR code")
        page.get_by_label("Text of the QR code").fill(text_of((LineItem(), 1)))
        page.get_by_role("button", name="Check the request").last.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Please wait")
        expect(page.locator("main")).to_contain_text(re.compile(r"Try again in \d+ minute"))
        assert problems(page) == []
