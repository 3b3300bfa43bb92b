"""Activation in a browser, in both languages, with and without JavaScript: from the first device to the last return."""

import base64
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import ngettext, pgettext
from playwright.sync_api import Browser, expect

from accounts.models import User
from entitlements.ledger.signing import active_key
from entitlements.models import Activation, Device, LineItem
from tests.browser.walk import Walker
from tests.entitlements.activation.devices import MAC, balances, put_on
from tests.entitlements.activation.test_license_files import published_reader
from tests.factories import Cast, Chain, split_item

pytestmark = pytest.mark.browser
OTHER = "00:03:C5:00:00:02"
each_way = pytest.mark.parametrize(
    ("language", "scripted"),
    [
        pytest.param("en", True, id="English"),
        pytest.param("de", True, id="German"),
        pytest.param("en", False, id="English-without-JavaScript"),
        pytest.param("de", False, id="German-without-JavaScript"),
    ],
)


@contextmanager
def sitting(browser: Browser, server: Any, user: User, language: str, *, scripted: bool) -> Iterator[Walker]:
    """The user at a browser, logged in."""
    User.objects.filter(pk=user.pk).update(language=language)
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=server.url, java_script_enabled=scripted, locale=language)
    context.set_default_timeout(10_000)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server.url}])
    walker = Walker(context, server, language, scripted=scripted)
    walker.page.goto("/")
    try:
        yield walker
    finally:
        context.close()


def say_return(walker: Walker) -> str:
    """The button; the ledger's word for it is another one in German."""
    with translation.override(walker.language):
        return pgettext("action", "Return")


def download(walker: Walker, label: str) -> bytes:
    """What the link saves."""
    link = walker.page.locator("main").get_by_role("link", name=walker.say(label), exact=True)
    with walker.page.expect_download() as downloaded:
        link.click()
    return Path(downloaded.value.path()).read_bytes()


def go_to(walker: Walker, item: LineItem) -> None:
    """The item's page, from List Entitlements."""
    walker.go("Activation & Entitlements", "List Entitlements")
    walker.page.get_by_role("link", name=item.activation_id, exact=True).click()


def open_device(walker: Walker, name: str) -> None:
    """A device's page, by the search of the list."""
    walker.go("Activation & Entitlements", "Devices")
    walker.field("Host ID, name or site").fill(name)
    walker.press("Search")
    walker.settle()
    walker.page.get_by_role("row").filter(has_text=name).get_by_role("link").first.click()
    walker.heading(name)


@each_way
def test_activate_one(
    browser: Browser, live_server: Any, cast: Cast, chain: Chain, language: str, scripted: bool
) -> None:
    """L2, L5: tick, Action → Activate; a typing error is told at its field; the license opens with ID and host ID."""
    with sitting(browser, live_server, cast.installer, language, scripted=scripted) as ines:
        ines.tick(chain.served.activation_id)
        ines.press("Activate", ines.open_menu("Action"))
        ines.heading("Activate")
        ines.field("Host ID").fill("0003c5aabb")
        ines.field("Type of host ID").select_option("mac")
        ines.fill(Name="Entrance", Site="Hall")
        ines.press("Activate")
        expect(ines.page.locator(".invalid-feedback")).to_contain_text("00:03:C5:AA:BB:CC")
        expect(ines.field("Site")).to_have_value("Hall")
        ines.field("Host ID").fill("0003c5aabbcc")
        ines.press("Activate")
        ines.heading("License")
        file = download(ines, "Download the license file").decode()
        expect(ines.page.get_by_role("img", name=ines.say("QR code of the license file"))).to_be_visible()
        ines.follow("Entrance")
        expect(ines.page.get_by_role("row").filter(has_text=chain.served.activation_id)).to_be_visible()
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(active_key().public_key + "="))
    document = published_reader(file, chain.served.activation_id, MAC, key)
    assert document["data"]["attributes"]["name"] == "Entrance"


@each_way
def test_activate_fifty_by_paste(
    browser: Browser, live_server: Any, cast: Cast, chain: Chain, language: str, scripted: bool
) -> None:
    """L2: one of the lines is wrong, is corrected in place, and then all are activated; their files in one archive."""
    item = split_item(cast.distributor, chain.issued, cast.installer.account, copies=50)
    lines = [f"0003C5{number:06X}\tCamera {number}" for number in range(1, 51)]
    with sitting(browser, live_server, cast.installer, language, scripted=scripted) as ines:
        go_to(ines, item)
        ines.follow("Activate many devices", ines.open_menu("Action"))
        ines.heading("Activate many devices")
        ines.field("Lines from a spreadsheet").fill("\n".join([*lines[:-1], "?\tCamera 50"]))
        ines.press("Check the lines")
        expect(ines.page.locator("tr.mx-wrong")).to_have_count(1)
        expect(ines.page.locator("tr.mx-wrong")).to_contain_text("Camera 50")
        ines.field("Lines from a spreadsheet").fill("\n".join(lines))
        ines.press("Check again")
        expect(ines.page.locator(".alert-success")).to_be_visible()
        with translation.override(language):
            button = ngettext("Activate %(lines)s device", "Activate %(lines)s devices", 50) % {"lines": 50}
        ines.page.get_by_role("button", name=button, exact=True).click()
        ines.heading("New licenses")
        expect(ines.page.locator("tbody tr")).to_have_count(50)
        with zipfile.ZipFile(io.BytesIO(download(ines, "Download all"))) as files:
            assert len(files.namelist()) == 50
    assert balances(item) == (50, 0, 50)


@each_way
def test_return_and_rehost_to_the_limit(
    browser: Browser, live_server: Any, cast: Cast, chain: Chain, language: str, scripted: bool
) -> None:
    """L4: what is left of the limit is said before and after; at its end the page names it, and who can help."""
    put_on(cast, chain.served, 3)
    with sitting(browser, live_server, cast.installer, language, scripted=scripted) as ines:
        open_device(ines, "Entrance")
        ines.page.locator("main").get_by_role("link", name=re.compile(f"^{say_return(ines)}")).click()
        ines.field("Copies to return (%(copies)s on the device)", copies=3).fill("1")
        ines.page.get_by_role("button", name=say_return(ines), exact=True).click()
        expect(ines.page.get_by_role("status")).to_contain_text(left(ines, 1))
        ines.page.locator("main").get_by_role("link", name=re.compile(f"^{ines.say('Rehost')}")).click()
        ines.heading("Rehost")
        ines.field("Host ID").fill(OTHER)
        ines.field("Name").fill("Roof")
        ines.field("Copies to rehost (%(copies)s on the device)", copies=2).fill("1")
        ines.press("Rehost")
        ines.heading("License")
        expect(ines.page.get_by_role("status")).to_contain_text(left(ines, 0))
        ines.follow("Roof")
        ines.page.locator("main").get_by_role("link", name=re.compile(f"^{ines.say('Rehost')}")).click()
        expect(ines.page.locator(".alert-warning")).to_contain_text("MOBOTIX")
        expect(ines.page.locator(".alert-warning")).to_contain_text("2")
        expect(ines.page.get_by_role("button", name=ines.say("Rehost"), exact=True)).to_have_count(0)
    assert dict(Activation.objects.values_list("device__host_id", "copies")) == {MAC: 1, OTHER: 1}


def left(walker: Walker, count: int) -> str:
    """The sentence of what is left."""
    text = "%(left)s more can be returned within a year."
    with translation.override(walker.language):
        return ngettext(text, text, count) % {"left": count}


@each_way
def test_replace_a_dead_camera(
    browser: Browser, live_server: Any, cast: Cast, chain: Chain, language: str, scripted: bool
) -> None:
    """L4: the page of the device shows its three licenses; all of them move to the new camera in one step."""
    more = split_item(
        cast.distributor, chain.issued, cast.installer.account, copies=50
    )  # returns count at each level
    others = [split_item(cast.installer, more, cast.customer, copies=2) for _number in range(2)]
    for item in (chain.served, *others):
        put_on(cast, item, 1)
    with sitting(browser, live_server, cast.installer, language, scripted=scripted) as ines:
        open_device(ines, "Entrance")
        expect(ines.page.locator("tbody tr")).to_have_count(3)
        ines.follow("Replace device", ines.open_menu("Action"))
        ines.heading("Replace device")
        moves = ines.page.locator("tbody tr").filter(has_text=ines.say("Is rehosted to the other device."))
        expect(moves).to_have_count(3)
        ines.field("Host ID").fill(OTHER)
        ines.field("Name").fill("New camera")
        ines.press("Replace device")
        ines.heading("New camera")
        expect(ines.page.locator("tbody tr")).to_have_count(3)
        expect(ines.page.get_by_role("link", name=re.compile(f"^{ines.say('License file')}"))).to_have_count(
            3
        )
        open_device(ines, "Entrance")
        expect(
            ines.page.get_by_role("heading", name=ines.say("No copies are on this device"))
        ).to_be_visible()
    assert set(Activation.objects.held().values_list("device", flat=True)) == {
        Device.objects.get(host_id=OTHER).pk
    }


@each_way
def test_undo_is_freed_by_a_return(
    browser: Browser, live_server: Any, cast: Cast, chain: Chain, language: str, scripted: bool
) -> None:
    """E8, L4: the undo names the device in its way and leads to its return, which leads back; then all copies come."""
    put_on(cast, chain.served, 2)
    with sitting(browser, live_server, cast.installer, language, scripted=scripted) as ines:
        ines.tick(chain.served.activation_id)
        ines.press("Undo split", ines.open_menu("Action"))
        ines.heading("Undo split")
        blocked = ines.page.get_by_role("region", name=ines.say("What stands in the way"))
        expect(blocked).to_contain_text(MAC)
        blocked.get_by_role("link", name=re.compile(f"^{say_return(ines)}")).click()
        ines.page.get_by_role("button", name=say_return(ines), exact=True).click()
        ines.heading("Undo split")
        expect(blocked).to_have_count(0)
        ines.press("Undo split")
        expect(ines.page.locator(".mx-state-obsolete")).to_be_visible()
    assert balances(chain.served) == (0, 0, 0)
