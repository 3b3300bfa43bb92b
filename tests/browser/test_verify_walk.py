"""Verify in a browser: what a stranger does with a certificate or a license file."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from entitlements.activation.services.activate import activate_as_bearer, return_as_bearer
from tests.browser.chromium import reading
from tests.browser.test_accessibility import each_scheme, problems
from tests.browser.test_pages import LEFT_AND_RIGHT, PHONE
from tests.browser.world import World
from tests.entitlements.activation.devices import host
from tests.entitlements.activation.test_license_files import packed
from tests.entitlements.certificates.test_signed_certificate import pdf_of

pytestmark = pytest.mark.browser


def check_file(page: Page, content: bytes, name: str, says: str) -> None:
    """Upload it; the page is sound and not too wide."""
    page.goto(reverse("verify_start"))
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("Certificate (PDF) or license file").set_input_files(files=[file])  # type: ignore[list-item]
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(says)
    assert problems(page) == []
    needed, there = page.evaluate(LEFT_AND_RIGHT)
    assert needed <= there


@each_scheme
def test_files(browser: Browser, live_server: Any, world: World, scheme: Any) -> None:
    """L7: genuine, outdated, not genuine; a certificate and a license."""
    served = world.chain.served
    bearer: Any = {"activation_id": served.activation_id, "host": host()}
    license, pdf = activate_as_bearer(copies=1, **bearer), pdf_of(served)
    with reading(browser, live_server.url, color_scheme=scheme, viewport=PHONE) as page:
        check_file(page, pdf, "certificate.pdf", "This certificate is genuine")
        check_file(page, license.file.encode(), "a.lic", "This license is genuine and valid")
        check_file(page, packed().encode(), "a.lic", "This license is not genuine")
        return_as_bearer(**bearer)
        check_file(page, license.file.encode(), "a.lic", "This license is no longer valid")


@pytest.mark.parametrize("scripted", [True, False], ids=["JavaScript", "without"])
def test_a_code(browser: Browser, live_server: Any, world: World, tmp_path: Path, scripted: bool) -> None:
    """E10: typed from the certificate, with Enter, in German."""
    with reading(browser, live_server.url, java_script_enabled=scripted, locale="de") as page:
        page.goto(reverse("account_login"))
        page.get_by_role("link", name="Zertifikat oder Lizenz prüfen").click()
        page.get_by_label("Code").fill("a/b")
        page.get_by_label("Code").press("Enter")
        expect(page.locator(".invalid-feedback")).to_be_visible()
        expect(page.get_by_label("Code")).to_have_value("a/b")
        page.get_by_label("Code").fill(world.chain.served.verification_code)
        page.get_by_label("Code").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Dieses Zertifikat ist echt")
