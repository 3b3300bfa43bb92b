"""What was typed survives Back, Forward, reload and the dialog, in each tab by itself; nothing is sent twice."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Browser, Page, Request, expect

from entitlements.models import LineItem
from tests.browser.chromium import reading
from tests.browser.world import World
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser
SCRIPTED = pytest.mark.parametrize("scripted", [True, False], ids=["JavaScript", "no-JavaScript"])


@contextmanager
def at_desk(browser: Browser, live_server: Any, world: World, reader: str, scripted: bool) -> Iterator[Page]:
    person = getattr(world.cast, reader)
    with reading(browser, live_server.url, person, java_script_enabled=scripted) as page:
        yield page


@contextmanager
def nothing_sent(page: Page) -> Iterator[None]:
    """Neither Back nor a reload sends a form again: the browser would ask for that."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.on("request", note)
    yield
    page.remove_listener("request", note)
    assert sent == []


def split_path(world: World) -> str:
    return reverse("line_item_split", args=[world.chain.installed.pk])


def chosen_path(world: World) -> str:
    cast = world.cast
    return f"{split_path(world)}?account={cast.customer.pk}&contact={cast.customer_contact.pk}"


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def amount(page: Page) -> Any:
    return page.get_by_label("Split Amount")


def to_summary(page: Page, world: World, copies: str, order: str = "PO-9") -> None:
    page.goto(chosen_path(world))
    amount(page).fill(copies)
    page.get_by_label("Order number of the buyer").fill(order)
    press(page, "Split")


def expect_form(page: Page, world: World, copies: str) -> None:
    expect(amount(page)).to_have_value(copies)
    expect(page.get_by_label("Order number of the buyer")).to_have_value("PO-9")
    expect(page.get_by_label("Target Account")).to_have_value(re.compile(re.escape(world.cast.customer.name)))
    expect(page.get_by_label("Contacts")).to_have_value(re.compile(world.cast.customer_contact.email))


@SCRIPTED
def test_a_split_survives_back_forward_and_reload(
    browser: Browser, live_server: Any, world: World, scripted: bool
) -> None:
    """E7: form, summary and result are pages of their own; after Back it is sent once more and done once."""
    before = LineItem.objects.filter(parent=world.chain.installed).count()
    with at_desk(browser, live_server, world, "installer", scripted) as page:
        to_summary(page, world, "2")
        complete = page.get_by_role("button", name="Complete")
        expect(complete).to_be_visible()
        assert "PO-9" not in page.url
        with nothing_sent(page):
            page.reload()
            expect(complete).to_be_visible()
            page.go_back()
            expect_form(page, world, "2")
            page.reload()
            expect_form(page, world, "2")
            page.go_forward()
            expect(complete).to_be_visible()
        press(page, "Complete")
        expect(page.get_by_role("heading", level=1)).to_have_text("The line item is split")
        with nothing_sent(page):
            page.reload()
            page.go_back()
            expect_form(page, world, "2")
        press(page, "Split")
        press(page, "Complete")
        expect(page.get_by_role("heading", level=1)).to_have_text("The line item is split")
    assert LineItem.objects.filter(parent=world.chain.installed).count() == before + 1


@SCRIPTED
def test_what_is_wrong_comes_back_as_it_was_typed(
    browser: Browser, live_server: Any, world: World, scripted: bool
) -> None:
    """A refused form is a page as well, and Back from it is the form as it was typed, without its errors."""
    with at_desk(browser, live_server, world, "installer", scripted) as page:
        to_summary(page, world, "9999")
        expect(page.locator("main .invalid-feedback").first).to_be_visible()
        with nothing_sent(page):
            page.reload()
            expect(page.locator("main .invalid-feedback").first).to_be_visible()
            expect_form(page, world, "9999")
            page.go_back()
            expect_form(page, world, "9999")
            expect(page.locator("main .invalid-feedback")).to_have_count(0)


@SCRIPTED
def test_the_magnifier_keeps_what_was_typed(
    browser: Browser, live_server: Any, world: World, scripted: bool
) -> None:
    """Out to the dialog and back, then Back: the amount stays, and nothing typed stands in the address."""
    with at_desk(browser, live_server, world, "installer", scripted) as page:
        page.goto(split_path(world))
        amount(page).fill("3")
        page.get_by_label("Order number of the buyer").fill("PO-9")
        press(page, "Choose an account")
        page.get_by_role("radio", name=world.cast.customer.name).check()
        page.get_by_role("button", name="Next").click()
        page.get_by_role("radio", name=str(world.cast.customer_contact)).check()
        page.get_by_role("button", name="Save").click()
        expect_form(page, world, "3")
        assert re.fullmatch(r".*/split/\?draft=[\w-]{16}", page.url)
        amount(page).fill("4")
        press(page, "Split")
        page.go_back()
        expect_form(page, world, "4")


@SCRIPTED
def test_two_tabs_do_not_mix(browser: Browser, live_server: Any, world: World, scripted: bool) -> None:
    """Two splits of the same item at once, each with its own draft."""
    with at_desk(browser, live_server, world, "installer", scripted) as one:
        other = one.context.new_page()
        to_summary(one, world, "2")
        to_summary(other, world, "5")
        one.reload()
        other.reload()
        expect(one.locator("main")).to_contain_text("2 copies of")
        expect(other.locator("main")).to_contain_text("5 copies of")
        one.go_back()
        expect_form(one, world, "2")
        press(other, "Complete")
        expect(other.get_by_role("heading", level=1)).to_have_text("The line item is split")
        press(one, "Split")
        press(one, "Complete")
        expect(one.locator("main")).to_contain_text("2 copies of")


@SCRIPTED
def test_lines_of_an_order_survive(browser: Browser, live_server: Any, world: World, scripted: bool) -> None:
    """E1: lines that were added and filled in, through add, a mistake, reload and Back."""
    with at_desk(browser, live_server, world, "mobotix", scripted) as page:
        page.goto(reverse("entitlement_create"))
        page.get_by_label("Order number").fill("A-17")
        quantities = page.get_by_label("Quantity")
        quantities.first.fill("7")
        press(page, "Add line")
        expect(quantities).to_have_count(2)
        quantities.nth(1).fill("8")
        press(page, "Save")
        expect(page.locator("main .invalid-feedback").first).to_be_visible()
        with nothing_sent(page):
            page.reload()
            expect(quantities.nth(1)).to_have_value("8")
            page.go_back()
            expect(quantities.nth(0)).to_have_value("7")
            expect(quantities.nth(1)).to_have_value("8")
            expect(page.get_by_label("Order number")).to_have_value("A-17")


@SCRIPTED
def test_every_other_step_is_a_page(browser: Browser, live_server: Any, world: World, scripted: bool) -> None:
    """Each form that is refused can be loaded again, and its Back sends nothing."""
    item = world.chain.installed.pk
    paths = [
        reverse("line_item_undo", args=[world.chain.served.pk]),
        reverse("line_item_email", args=[world.chain.served.pk]),
        reverse("line_item_activate", args=[world.chain.served.pk]),
        reverse("line_item_activate_many", args=[world.chain.served.pk]),
        f"{reverse('bulk_split_create')}?item={item}",
        reverse("device_create"),
        reverse("account_create", args=["customer"]),
        reverse("relation_request"),
        reverse("offline_activation"),
    ]
    with at_desk(browser, live_server, world, "distributor", scripted) as distributor:
        empty_form(distributor, paths.pop(-2))
    with at_desk(browser, live_server, world, "installer", scripted) as page:
        for path in paths:
            empty_form(page, path)


def empty_form(page: Page, path: str) -> None:
    """Send the form with a mistake in it, load the answer again, and go Back."""
    page.goto(path)
    form = page.locator("main form[method=post]:has([name=key], [name=host_id])")
    expect(form, f"{path} has a form").to_have_count(1)
    for field in form.locator(":is(input[type=text], textarea):visible").all():
        field.fill("?")
    form.locator("button.btn-primary:visible, button.btn-danger:visible").first.click()
    expect(page.locator("main .is-invalid, main .alert-danger").first).to_be_visible()
    with nothing_sent(page):
        page.reload()
        expect(page.locator("main .is-invalid, main .alert-danger").first).to_be_visible()
        page.go_back()
        expect(page.locator("main form[method=post]").first).to_be_visible()


@SCRIPTED
def test_the_login_ends_in_the_middle(
    browser: Browser, live_server: Any, world: World, scripted: bool
) -> None:
    """U10: the session is over when Split is pressed; after the login the summary stands there, and is done once."""
    with at_desk(browser, live_server, world, "installer", scripted) as page:
        page.goto(chosen_path(world))
        amount(page).fill("2")
        page.get_by_label("Order number of the buyer").fill("PO-9")
        Session.objects.all().delete()
        press(page, "Split")
        expect(page.locator("main")).to_contain_text("Your input is kept")
        page.locator("[name=login]").fill(world.cast.installer.email)
        page.locator("[name=password]").fill(PASSWORD)
        press(page, "Log in")
        expect(page.locator("main")).to_contain_text("Nothing has been changed yet")
        expect(page.locator("main")).to_contain_text("2 copies of")
        press(page, "Complete")
        expect(page.get_by_role("heading", level=1)).to_have_text("The line item is split")


@pytest.mark.parametrize("js", [True, False])
def test_the_address_of_a_failed_mail_is_corrected(
    browser: Browser, live_server: Any, world: World, js: bool
) -> None:
    """N8: the button of the page sends its form; nonsense is said at the field and kept."""
    mail = world.refused_credentials
    with reading(browser, live_server.url, world.cast.installer, java_script_enabled=js) as page:
        page.goto(reverse("mail_correct", args=[mail.pk]))
        page.get_by_label("E-mail").fill("nonsense")
        page.get_by_role("button", name="Correct and send again").click()
        expect(page.locator("[name=email].is-invalid")).to_have_value("nonsense")
        page.get_by_label("E-mail").fill("right@installer.example")
        page.get_by_role("button", name="Correct and send again").click()
        expect(page.get_by_text("The e-mail to right@installer.example is on its way again.")).to_be_visible()
