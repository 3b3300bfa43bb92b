"""The seed's manual, step by step, with everything running: from the first mail to the certificate."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Browser, expect
from pypdf import PdfReader

from tests.browser.walk import Person, Walker, text_of, wait_for_mail
from tests.browser.walk_mobotix import create_entitlement, create_product
from tests.live import ROOT, Portal

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

MARA = Person("Mara", "Keller", "mara@mobotix.example")
DORA = Person("Dora", "Petersen", "dora@nordlicht.example")
INES = Person("Ines", "Albrecht", "ines@blick.example")
TOM = Person("Tom", "Schäfer", "tom@blick.example")
CLARA = Person("Clara", "Weiß", "clara@klinik.example")
SECOND = "technik@klinik.example"
NORDLICHT, BLICK, KLINIK = "Nordlicht Distribution", "Blick Sicherheitstechnik", "Westpfalz Klinik"
PART_NUMBER = "Mx-APP-1"


def create_first_admin(portal: Portal, language: str) -> None:
    """The command that begins it all."""
    command = ["create_first_admin", MARA.email, MARA.first_name, MARA.last_name, "--language", language]
    run = [sys.executable, "manage.py", *command]
    subprocess.run(run, cwd=ROOT, env=portal.environment, check=True, capture_output=True)


@contextmanager
def people(
    browser: Browser, portal: Portal, language: str, *, scripted: bool
) -> Iterator[Callable[[], Walker]]:
    """Everybody at a browser of their own, which would rather speak the other language."""
    other = {"en": "de-DE", "de": "en-GB"}[language]
    with ExitStack() as stack:

        def sit_down() -> Walker:
            context = browser.new_context(java_script_enabled=scripted, locale=other)
            context.set_default_timeout(15_000)
            stack.callback(context.close)
            return Walker(context, portal, language, scripted=scripted)

        yield sit_down


@pytest.mark.parametrize(
    ("language", "scripted"),
    [
        pytest.param("en", True, id="English"),
        pytest.param("de", True, id="German"),
        pytest.param("en", False, id="English-without-JavaScript"),
        pytest.param("de", False, id="German-without-JavaScript"),
    ],
)
def test_the_manual(browser: Browser, running: Portal, language: str, scripted: bool) -> None:
    """1.1 to 1.4, with the tiers above and the certificate."""
    create_first_admin(running, language)
    with people(browser, running, language, scripted=scripted) as sit_down:
        issued = at_mobotix(sit_down())
        split = at_the_distributor(sit_down(), issued)
        new, certificate = at_the_installer(sit_down(), split)
    check_certificate(browser, certificate, new, language)


def at_mobotix(mara: Walker) -> str:
    """MOBOTIX creates the distributor with an admin, a product and the entitlement; its mail has the Activation ID."""
    mara.log_in_for_the_first_time(MARA)
    create_product(mara, PART_NUMBER)
    mara.create_account("Create partner account", NORDLICHT, tier="Distributor")
    mara.create_user(DORA, role="Portal Admin User Role")
    return create_entitlement(mara, NORDLICHT, DORA, PART_NUMBER, 100)


def at_the_distributor(dora: Walker, issued: str) -> str:
    """The distributor creates the installer with an admin and splits to it; the mail has the new Activation ID."""
    dora.log_in_for_the_first_time(DORA)
    dora.create_account("Create partner account", BLICK, tier="Installer")
    dora.create_user(INES, role="Portal Admin User Role")
    new = dora.split(issued, "Installer", BLICK, INES, (40, 100))
    wait_for_mail(dora.portal, INES.email, new)
    return new


def at_the_installer(ines: Walker, received: str) -> tuple[str, bytes]:
    """The installer's manual itself."""
    ines.log_in_for_the_first_time(INES)
    create_additional_user(ines)
    create_end_customer(ines)
    new = ines.split(received, "End customer", KLINIK, CLARA, (5, 40))
    wait_for_mail(ines.portal, CLARA.email, new)
    ines.email(new, CLARA, SECOND)
    assert ines.say("Activation ID") in text_of(wait_for_mail(ines.portal, SECOND, new))
    certificate = ines.view_certificate(new)
    sent_twice = [mail for mail in ines.portal.mails.to(CLARA.email) if new in text_of(mail)]
    assert len(sent_twice) == 2, "once by the split, once by Email"
    return new, certificate


def create_additional_user(ines: Walker) -> None:
    """1.2: Accounts & Users → List accounts → the Account ID → Actions → Create a User."""
    ines.go("Accounts & Users", "List accounts")
    ines.page.get_by_role("row").filter(has_text=BLICK).get_by_role("link").click()
    ines.heading(BLICK)
    ines.follow("Create a User", ines.open_menu("Actions"))
    ines.create_user(TOM, role="Portal User Role")
    wait_for_mail(ines.portal, TOM.email, ines.say("Temporary password"))


def create_end_customer(ines: Walker) -> None:
    """1.3: … → List related accounts → Actions → Create customer account; Actions → Create a User, a contact only."""
    ines.create_account("Create customer account", KLINIK)
    ines.go("Accounts & Users", "List related accounts")
    ines.page.get_by_role("link", name=KLINIK, exact=True).click()
    ines.follow("Create a User", ines.open_menu("Actions"))
    ines.create_user(CLARA)


def check_certificate(browser: Browser, certificate: bytes, activation_id: str, language: str) -> None:
    """E10: it has the Activation ID, and its link leads to the page that says genuine, and no ID."""
    reader = PdfReader(io.BytesIO(certificate))
    text = "".join(page.extract_text() for page in reader.pages)
    assert activation_id in text
    assert KLINIK in text
    links = [
        str(note.get_object()["/A"]["/URI"]) for page in reader.pages for note in page.get("/Annots", [])
    ]
    address = next(link for link in links if "/verify/" in link)
    page = browser.new_context(locale=language).new_page()
    page.goto(address)
    with translation.override(language):
        genuine = gettext("This certificate is genuine")
    expect(page.get_by_role("heading", level=1)).to_have_text(genuine)
    assert activation_id not in page.content()
    page.context.close()
