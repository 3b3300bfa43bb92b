"""Bulk split in a browser, with and without JavaScript: table, file, corrections, progress, result, e-mail, undo."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.bulk.services.requests import correct_bulk_split
from entitlements.models import BulkSplit, BulkState, LineItem
from mxportal.shared.forms import new_key
from tests.browser.chromium import reading
from tests.browser.world import World
from tests.entitlements.bulk.making import line_for

pytestmark = pytest.mark.browser
each_way = pytest.mark.parametrize("scripted", [True, False], ids=["JavaScript", "without"])


def tick_and_go(page: Page, item: LineItem) -> None:
    """List Entitlements: a tick, Action → Bulk split."""
    page.goto("/entitlements/?shown=ours")
    row = page.get_by_role("row").filter(has_text=item.activation_id)
    row.get_by_role("checkbox").check()
    page.locator("main summary", has_text="Action").click()
    page.get_by_role("button", name="Bulk split", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bulk split")


def type_line(page: Page, number: int, account_id: str, email: str, amount: str) -> None:
    row = page.locator(".mx-lines tbody tr").nth(number)
    row.get_by_label("Account ID").fill(account_id)
    row.get_by_label("Contact e-mail").fill(email)
    row.get_by_label("Amount").fill(amount)


@each_way
def test_table_correction_result_undo(
    browser: Browser, live_server: Any, world: World, scripted: bool
) -> None:
    """E6, E7, E8: a wrong amount is corrected in place; nothing typed is lost; all comes back again."""
    cast, item = world.cast, world.chain.installed
    known = cast.customer.account_id, cast.customer_contact.email
    with reading(browser, live_server.url, cast.installer, java_script_enabled=scripted) as page:
        tick_and_go(page, item)
        type_line(page, 0, *known, "2")
        page.get_by_role("button", name="Add line").click()
        expect(page.locator(".mx-lines tbody tr")).to_have_count(4)
        type_line(page, 3, *known, "1,000")
        page.get_by_role("button", name="Check the lines").last.click()

        expect(page.get_by_role("alert").or_(page.locator(".alert")).first).to_contain_text("1 of 2 lines")
        expect(page.get_by_role("button", name="Split all")).to_have_count(0)
        wrong = page.get_by_role("region", name="Lines to correct")
        expect(wrong.get_by_label("Amount")).to_have_value("1000")  # kept as it was understood (E18)
        wrong.get_by_label("Amount").fill("3")
        page.get_by_role("button", name="Check again").click()
        expect(page.get_by_label("Send e-mail")).to_be_checked()
        page.get_by_role("button", name="Split all").click()

        expect(page.get_by_role("heading", name="All lines are split")).to_be_visible()
        new = list(LineItem.objects.filter(parent=item).order_by("-pk")[:2])
        for made in new:
            expect(page.get_by_role("link", name=made.activation_id)).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download as CSV").click()
        text = Path(download.value.path()).read_text("utf-8-sig")
        assert all(made.activation_id in text for made in new)
        page.get_by_role("button", name="Email all").click()
        expect(page.get_by_role("status").first).to_contain_text("on their way")
        page.get_by_role("link", name="Undo all").click()
        page.get_by_role("button", name="Undo all").click()
        expect(page.get_by_role("heading", name="This bulk split was undone")).to_be_visible()


@each_way
def test_file_and_progress(
    browser: Browser,
    live_server: Any,
    world: World,
    scripted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A large file is a worker's: the page follows by itself, or by "Refresh" where no script runs."""
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 1)
    cast = world.cast
    file = tmp_path / "Käufer.csv"
    line = f"\n{cast.customer.account_id};{cast.customer_contact.email};1"
    file.write_text("Konto-ID;Kontakt-E-Mail;Anzahl" + line * 3, "cp1252")
    with reading(browser, live_server.url, cast.installer, java_script_enabled=scripted) as page:
        tick_and_go(page, world.chain.installed)
        page.get_by_text("Upload a file").click()
        page.get_by_label("CSV or XLSX file").set_input_files(file)
        page.get_by_role("button", name="Upload and check").click()
        follow(page, BulkState.CHECKING, scripted)
        page.get_by_role("button", name="Split all").click()
        follow(page, BulkState.RUNNING, scripted)
        expect(page.get_by_role("heading", name="All lines are split")).to_be_visible()
        expect(page.locator(".mx-lead")).to_contain_text("Käufer.csv")


def follow(page: Page, state: BulkState, scripted: bool) -> None:
    """The bar is there; then the worker does its part, and the page shows it."""
    expect(page.locator("progress")).to_be_visible()
    worker = threading.Thread(target=work, args=[state])
    worker.start()
    worker.join()
    if not scripted:
        page.get_by_role("link", name="Refresh").click()
    expect(page.locator("progress")).to_have_count(0)


def work(state: BulkState) -> None:
    """As a Celery worker would, on a connection of its own."""
    bulk = BulkSplit.objects.filter(state=state).latest("pk")
    bulk_jobs.work_on(bulk.pk)
    connections.close_all()


def test_the_ways_exclude_one_another(browser: Browser, live_server: Any, world: World) -> None:
    """One is open at a time, by the keyboard, too; what was typed in another stays."""
    with reading(browser, live_server.url, world.cast.installer) as page:
        tick_and_go(page, world.chain.installed)
        type_line(page, 0, "ABC", "", "5")
        page.locator("summary", has_text="Paste from a spreadsheet").press("Enter")
        expect(page.get_by_label("Lines from a spreadsheet")).to_be_visible()
        expect(page.locator(".mx-lines")).to_be_hidden()
        page.locator("summary", has_text="Type the lines").press("Enter")
        expect(page.locator(".mx-lines tbody tr").first.get_by_label("Account ID")).to_have_value("ABC")


@each_way
def test_two_windows_then_discarded(browser: Browser, live_server: Any, world: World, scripted: bool) -> None:
    """E7, A6: what was corrected in one window is not split from the other; then nobody wants it any more."""
    cast, draft = world.cast, world.bulks["right"]
    path = f"/bulk-splits/{draft.pk}/"
    with reading(browser, live_server.url, cast.installer, java_script_enabled=scripted) as page:
        page.goto(path)
        expect(page.get_by_role("button", name="Split all")).to_be_visible()
        correct_bulk_split(
            actor=cast.installer,
            bulk_id=draft.pk,
            seen=draft.version,
            corrections={0: line_for(cast.customer_contact, 7)},
            create_customers=False,
            key=new_key(),
        )
        page.get_by_role("button", name="Split all").click()
        expect(page.get_by_role("alert").or_(page.locator(".alert")).first).to_contain_text(
            "were changed after"
        )
        page.get_by_role("link", name="Discard").click()
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Bulk splits")
        expect(page.get_by_role("row").filter(has=page.locator(f'a[href="{path}"]'))).to_contain_text(
            "Discarded"
        )
