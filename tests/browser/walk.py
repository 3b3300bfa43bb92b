"""What people do on the portal's pages, by the labels that they read there, in their language."""

import re
import time
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from django.utils import translation
from django.utils.translation import get_language_info, gettext
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.live import Portal

ACTIVATION_ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){6}\b")
PATIENCE = 30  # seconds for a mail
NEW_PASSWORD = "Seven cameras on a roof"


@dataclass(frozen=True)
class Person:
    """Somebody of a company."""

    first_name: str
    last_name: str
    email: str


def wait_for_mail(portal: Portal, address: str, containing: str = "") -> EmailMessage:
    """The newest mail to that address with this in its text."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for mail in reversed(portal.mails.to(address)):
            if containing in text_of(mail):
                return mail
        time.sleep(0.05)
    raise AssertionError(f"No mail to {address} with {containing!r} within {PATIENCE} s")


def text_of(mail: EmailMessage) -> str:
    """Its text part."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


class Walker:
    """One person at a browser. `scripted`: whether JavaScript runs there."""

    def __init__(self, context: BrowserContext, portal: Portal, language: str, *, scripted: bool) -> None:
        self.context, self.portal, self.language, self.scripted = context, portal, language, scripted
        self.page: Page = context.new_page()

    def say(self, text: str, **values: Any) -> str:
        """A label in the reader's language, as the catalogue has it."""
        with translation.override(self.language):
            return gettext(text) % values if values else gettext(text)

    # --- What is on every page ----------------------------------------------------------------------------------------

    def field(self, label: str, place: Any = None, **values: Any) -> Locator:
        """The field of that label; a star marks those that must be filled in."""
        name = re.compile(rf"^\s*{re.escape(self.say(label, **values))}\s*\*?\s*$")
        return (place or self.page.locator("main")).get_by_label(name)

    def answer(self, question: str, reply: str) -> Locator:
        """The radio button or tick box of that reply to the question."""
        group = self.page.get_by_role("group", name=self.say(question))
        return group.get_by_label(self.say(reply), exact=True)

    def fill(self, **fields: str) -> None:
        """Fill fields by label; `_` stands for a blank."""
        for label, value in fields.items():
            self.field(label.replace("_", " ")).fill(value)

    def press(self, label: str, place: Any = None) -> None:
        """A button."""
        place = place or self.page.locator("main")
        place.get_by_role("button", name=self.say(label), exact=True).click()

    def follow(self, label: str, place: Any = None) -> None:
        """A link."""
        place = place or self.page.locator("main")
        place.get_by_role("link", name=self.say(label), exact=True).click()

    def heading(self, text: str) -> None:
        """The page has this heading, and the reader's language (U8)."""
        expect(self.page.locator("html")).to_have_attribute("lang", self.language)
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(self.say(text))

    def open_menu(self, label: str, place: str = "main") -> Locator:
        """A menu of the page; what it offers."""
        menu = self.page.locator(f"{place} details.mx-menu").filter(
            has=self.page.locator("summary", has_text=re.compile(rf"^\s*{re.escape(self.say(label))}\s*$"))
        )
        menu.locator("summary").click()
        return menu

    def go(self, section: str, entry: str) -> None:
        """An entry of the main menu."""
        self.follow(entry, self.open_menu(section, "header"))
        self.heading(entry)

    def settle(self) -> None:
        """Until htmx has put its answer in place."""
        if self.scripted:
            busy = ".htmx-request, .htmx-swapping, .htmx-settling"
            self.page.wait_for_function(f"() => !document.querySelector('{busy}')")

    # --- 1.1 Log-in ---------------------------------------------------------------------------------------------------

    def log_in_for_the_first_time(self, person: Person) -> None:
        """Link, user ID and password from the mail; the language before; the password has to be changed."""
        mail = text_of(wait_for_mail(self.portal, person.email, self.say("Temporary password")))
        assert person.email in mail
        self.page.goto(self._in_mail(mail, "Log in"))
        language = get_language_info(self.language)["name_local"].capitalize()
        self.page.get_by_role("button", name=language, exact=True).click()
        self.heading("Log in")
        temporary = self._in_mail(mail, "Temporary password")
        self.field("User ID (your e-mail address)").fill(self._in_mail(mail, "User ID"))
        self.field("Password").fill(temporary)
        self.press("Log in")
        self.heading("Change your password")
        self.page.goto(f"{self.portal.url}/entitlements/")  # every page leads back until it is changed
        self.heading("Change your password")
        self.field("Current Password").fill(temporary)
        self.field("New Password").fill(NEW_PASSWORD)
        self.field("New Password (again)").fill(NEW_PASSWORD)
        self.press("Change password")
        expect(self.page.locator("header")).to_contain_text(f"{person.first_name} {person.last_name}")

    def _in_mail(self, text: str, label: str) -> str:
        found = re.search(rf"^{re.escape(self.say(label))}: (.+)$", text, re.MULTILINE)
        assert found, f"{label} is not in the mail:\n{text}"
        return found[1].strip()

    # --- 1.2 and 1.3 Accounts and users -------------------------------------------------------------------------------

    def create_account(self, kind: str, name: str, tier: str = "") -> None:
        """List related accounts → Actions → Create customer account, or Create partner account."""
        self.go("Accounts & Users", "List related accounts")
        self.follow(kind, self.open_menu("Actions"))
        self.heading(kind)
        expect(self.field("Account ID")).not_to_have_value("")
        self.fill(Account_name=name, Description="Retailer")
        if tier:
            self.field("Tier").select_option(label=self.say(tier))
        expect(self.answer("Visible to other partners?", "No")).to_be_checked()
        self.fill(Street="Fackelstraße 12", Postal_code="67655", City="Kaiserslautern", Phone="+49 631 1")
        self.field("Country").select_option("DE")
        self.press("Save")
        self.heading("Create a User")

    def create_user(self, person: Person, *, role: str = "") -> None:
        """On "Create a User": a user with a role, or a contact without one."""
        self.heading("Create a User")
        if role:
            self.answer("Can this user log in?", "Yes").check()
            self.answer("Shared login", "No").check()
            self.answer("Roles", role).check()
        else:
            expect(self.answer("Can this user log in?", "No")).to_be_checked()
        self.field("Status").select_option(label=self.say("Active"))
        self.answer("Opt in to receive email", "No").check()
        self.field("Expiring entitlements email").check()
        self.fill(First_name=person.first_name, Last_name=person.last_name, Phone="+49 631 2")
        self.field("E-mail").fill(person.email)
        self.field("Language").select_option(self.language)
        self.press("Save")
        expect(self.page.get_by_role("status")).to_contain_text(f"{person.first_name} {person.last_name}")

    # --- 1.4 Entitlements ---------------------------------------------------------------------------------------------

    def tick(self, activation_id: str) -> None:
        """List Entitlements, with a tick in front of that line item."""
        self.go("Activation & Entitlements", "List Entitlements")
        row = self.page.get_by_role("row").filter(has_text=activation_id)
        row.get_by_role("checkbox").check()

    def pick(self, tier: str, account: str, contact: Person) -> None:
        """The magnifier: tier, search, tick, Next; the contact's tick, Save."""
        self.press("Choose an account")
        dialog = self.page.get_by_role("dialog") if self.scripted else self.page.locator("main")
        self.field("Distribution Tier Type", dialog).select_option(label=self.say(tier))
        self.settle()
        self.field("Account name or Account ID", dialog).fill(account[2:])
        self.press("Search", dialog)
        self.settle()
        dialog.get_by_role("radio", name=account).check()
        self.press("Next", dialog)
        expect(dialog.get_by_role("heading", level=2).first).to_contain_text(account)
        dialog.get_by_role("radio", name=f"{contact.first_name} {contact.last_name}").check()
        self.press("Save", dialog)

    def split(
        self, activation_id: str, tier: str, account: str, contact: Person, amounts: tuple[int, int]
    ) -> str:
        """Action → Split … Complete, so many copies of so many available; the new Activation ID."""
        copies, available = amounts
        self.tick(activation_id)
        self.press("Split", self.open_menu("Action"))
        self.heading("Split Entitlement Line Item")
        self.pick(tier, account, contact)
        self.heading("Split Entitlement Line Item")
        expect(self.field("Target Account")).to_have_value(re.compile(re.escape(account)))
        expect(self.field("Contacts")).to_have_value(re.compile(re.escape(contact.email)))
        self.field("Split Amount (of %(available)s available)", available=available).fill(str(copies))
        self.press("Split")
        expect(self.field("Send e-mail")).to_be_checked()
        self.press("Complete")
        self.heading("The line item is split")
        found = ACTIVATION_ID.search(
            self.page.get_by_role("region", name=self.say("New Activation ID")).inner_text()
        )
        assert found
        assert found[0] != activation_id
        return found[0]

    def email(self, activation_id: str, contact: Person, second: str) -> None:
        """View → Email, with a second recipient after a comma."""
        self.tick(activation_id)
        self.press("Email", self.open_menu("View"))
        self.heading("Email")
        ship_to = self.field("Ship-to email")
        expect(ship_to).to_have_value(contact.email)
        ship_to.fill(f"{ship_to.input_value()}, {second}")
        self.press("Send")
        expect(self.page.get_by_role("status").first).to_be_visible()

    def view_certificate(self, activation_id: str) -> bytes:
        """View → View Certificate: a new window, in which the browser shows or saves the PDF."""
        self.tick(activation_id)
        menu = self.open_menu("View")
        with (
            self.context.expect_page(),
            self.context.expect_event(
                "response", lambda response: "/certificate/" in response.url and response.ok
            ) as answered,
        ):
            self.press("View Certificate", menu)
        response = self.context.request.get(answered.value.url)
        assert response.headers["content-type"] == "application/pdf"
        return response.body()
