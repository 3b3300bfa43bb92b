"""The demo's company chain for ``make run``: people, orders and splits, all made by the services."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.crypto import get_random_string, salted_hmac

from accounts.models import Account, Role, Tier, User
from accounts.services.accounts import create_account
from accounts.services.setup import found_mobotix
from accounts.services.users import create_user
from entitlements.activation.services.activate import activate
from entitlements.activation.services.devices import HostId
from entitlements.identifiers.host_ids import HostIdType
from entitlements.models import Entitlement, LicenseModel, LineItem, Product, today
from entitlements.orders.services.issue import NewLine, create_entitlement, deploy_entitlement
from entitlements.orders.services.products import save_product
from entitlements.splits.services.split import split_line_item
from mxportal.shared.forms import new_key

PASSWORD_CHARACTERS = 12


@dataclass(frozen=True)
class Company:
    """A company of the demo and its people: admin, then view-only user (an end customer has one contact)."""

    account_id: str
    name: str
    tier: Tier
    domain: str
    city: str
    street: str
    postal_code: str
    country: str
    language: str
    people: tuple[str, ...]


MOBOTIX = Company(
    "MOBOTIX", "MOBOTIX AG", Tier.MOBOTIX, "mobotix.example", "Winnweiler", "Kaiserstraße", "67722", "DE", "en",
    ("Mara Keller", "Viktor Lang"),
)  # fmt: skip
NORDLICHT = Company(
    "NORDLICHT", "Nordlicht Distribution GmbH", Tier.DISTRIBUTOR, "nordlicht.example", "Hamburg", "Speicherweg 4",
    "20457", "DE", "de", ("Dora Petersen", "Emil Voss"),
)  # fmt: skip
ATLANTIC = Company(
    "ATLANTIC", "Atlantic Vision Ltd", Tier.DISTRIBUTOR, "atlantic.example", "Bristol", "9 Harbour Row", "BS1 5TX",
    "GB", "en", ("Olivia Grant", "Peter Shaw"),
)  # fmt: skip
BLICK = Company(
    "BLICK", "Blick Sicherheitstechnik", Tier.INSTALLER, "blick.example", "Kaiserslautern", "Fackelstraße 12", "67655",
    "DE", "de", ("Ines Albrecht", "Tom Schäfer"),
)  # fmt: skip
HARBOUR = Company(
    "HARBOUR", "Harbour Alarms", Tier.INSTALLER, "harbour.example", "Bath", "3 Mill Lane", "BA1 2QA", "GB", "en",
    ("Sam Doyle", "Rita Cole"),
)  # fmt: skip
KLINIK = Company(
    "KLINIK-1", "Westpfalz Klinik", Tier.END_CUSTOMER, "klinik.example", "Kusel", "Am Hang 1", "66869", "DE", "de",
    ("Clara Weiß",),
)  # fmt: skip
MUSEUM = Company(
    "MUSEUM-1", "Museum of the Coast", Tier.END_CUSTOMER, "museum.example", "Exeter", "1 Quay Street", "EX2 4AN", "GB",
    "en", ("Carl Finch",),
)  # fmt: skip
LOGIN_COMPANIES = (MOBOTIX, NORDLICHT, ATLANTIC, BLICK, HARBOUR)

PRODUCTS = (
    ("Mx-HUB-BASE", "MOBOTIX HUB Base", "MOBOTIX HUB Basis", LicenseModel.PERPETUAL),
    ("Mx-HUB-CAM", "MOBOTIX HUB Camera License", "MOBOTIX HUB Kameralizenz", LicenseModel.PERPETUAL),
    ("Mx-APP-PLATE", "License Plate Recognition App", "App Kennzeichenerkennung", LicenseModel.TERM),
)


def email_of(company: Company, person: str) -> str:
    """Return first.last@domain, in ASCII."""
    name = person.lower()
    for letter, ascii_letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), (" ", ".")):
        name = name.replace(letter, ascii_letters)
    return f"{name}@{company.domain}"


def password_of(email: str) -> str:
    """Return the demo password of this installation. It is derived from the secret key, and so stored nowhere."""
    return salted_hmac("entitlements.management.demo", email, algorithm="sha256").hexdigest()[
        :PASSWORD_CHARACTERS
    ]


def logins() -> Iterator[tuple[str, str, str, str]]:
    """Yield e-mail, password, role and account of everyone in the demo who can log in."""
    for company in LOGIN_COMPANIES:
        for person, role in zip(company.people, Role, strict=True):
            email = email_of(company, person)
            yield email, password_of(email), str(role.label), company.name


def make_demo() -> bool:
    """Make the demo chain; return False, and change nothing, if the portal already has accounts."""
    if Account.objects.exists():
        return False
    mobotix = _found(MOBOTIX)
    dora, olivia = (_make_partner(mobotix, company) for company in (NORDLICHT, ATLANTIC))
    ines = _make_partner(dora, BLICK)
    sam = _make_partner(olivia, HARBOUR)
    clara, carl = _make_customer(ines, KLINIK), _make_customer(sam, MUSEUM)
    base, camera, plate = (_make_product(mobotix, *product) for product in PRODUCTS)
    soon = today() + timedelta(days=60)
    _sell(
        mobotix,
        dora,
        ines,
        clara,
        order="PO-2041",
        lines=[(base, 5, None), (camera, 200, None)],
        passed_on=(40, 8),
        devices=(
            ("00:03:C5:10:20:30", "Haupteingang", "Foyer"),
            ("00:03:C5:10:20:31", "Parkdeck 2", "Parkhaus"),
        ),
    )
    _sell(
        mobotix,
        olivia,
        sam,
        carl,
        order="4500017",
        lines=[(camera, 120, None), (plate, 30, soon)],
        passed_on=(20, 6),
        devices=(("00:03:C5:40:50:60", "Main gate", "Quay Street"),),
    )
    return True


def _found(company: Company) -> User:
    first_name, last_name = company.people[0].split()
    admin = found_mobotix(
        account_name=company.name,
        email=email_of(company, company.people[0]),
        first_name=first_name,
        last_name=last_name,
        language=company.language,
    )
    Account.objects.filter(pk=admin.account_id).update(account_id=company.account_id, **_address(company))
    _set_password(admin)
    _make_person(admin, admin.account, company, company.people[1], Role.PORTAL_USER)
    return admin


def _address(company: Company) -> dict[str, Any]:
    fields = ("city", "street", "postal_code", "country")
    return {field: getattr(company, field) for field in fields}


def _make_account(seller: User, company: Company) -> Account:
    return create_account(
        actor=seller,
        tier=company.tier,
        key=new_key(),
        account_id=company.account_id,
        name=company.name,
        **_address(company),
    )


def _make_partner(seller: User, company: Company) -> User:
    account = _make_account(seller, company)
    users = [
        _make_person(seller, account, company, person, role)
        for person, role in zip(company.people, Role, strict=True)
    ]
    return users[0]


def _make_customer(seller: User, company: Company) -> User:
    return _make_person(seller, _make_account(seller, company), company, company.people[0], None)


def _make_person(actor: User, account: Account, company: Company, person: str, role: Role | None) -> User:
    first_name, last_name = person.split()
    user = create_user(
        actor=actor,
        account_id=account.pk,
        key=new_key(),
        email=email_of(company, person),
        first_name=first_name,
        last_name=last_name,
        language=company.language,
        can_log_in=role is not None,
        role=role or "",
    )
    if role is not None:
        _set_password(user)
    return user


def _set_password(user: User) -> None:
    """Set the printed password as the user's own, so that the mail with the temporary one does nothing (U4)."""
    user.set_password(password_of(user.email))
    user.save()


def _make_product(actor: User, part_number: str, name_en: str, name_de: str, model: LicenseModel) -> Product:
    return save_product(
        actor=actor,
        key=new_key(),
        part_number=part_number,
        name_en=name_en,
        name_de=name_de,
        license_model=model,
    )


def _sell(
    mobotix: User,
    distributor: User,
    installer: User,
    contact: User,
    *,
    order: str,
    lines: list[tuple[Product, int, date | None]],
    passed_on: tuple[int, int],
    devices: tuple[tuple[str, str, str], ...],
) -> None:
    """Make a deployed order, split its last line for the installer and the end customer, and activate some copies."""
    entitlement = create_entitlement(
        actor=mobotix,
        owner_id=distributor.account_id,
        contact_id=distributor.pk,
        order_number=order,
        order_date=today(),
        lines=[
            NewLine(product_id=product.pk, quantity=quantity, starts_on=today(), expires_on=expires)
            for product, quantity, expires in lines
        ],
        key=new_key(),
    )
    deploy_entitlement(actor=mobotix, entitlement_id=entitlement.pk, key=new_key())
    installed = _split(distributor, _last_line(entitlement), installer, passed_on[0])
    served = _split(installer, installed, contact, passed_on[1])
    for host_id, name, site in devices:
        host = HostId(typed=host_id, kind=HostIdType.MAC, name=name, model="Mx-M73A", site=site)
        activate(actor=installer, item_id=served.pk, host=host, copies=1, key=new_key())


def _last_line(entitlement: Entitlement) -> LineItem:
    return entitlement.line_items.latest("pk")


def _split(seller: User, source: LineItem, contact: User, copies: int) -> LineItem:
    return split_line_item(
        actor=seller,
        item_id=source.pk,
        target_id=contact.account_id,
        contact_id=contact.pk,
        copies=copies,
        order_number=f"O-{get_random_string(5, '0123456789')}",
        key=new_key(),
    )
