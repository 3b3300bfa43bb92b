"""The standing cast, and short ways to make rows. Items are made by the services, so that the ledger holds."""

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, ApiToken, RelationStatus, Role, SellingRelation, Tier, User
from accounts.services.api_tokens import create_api_token, new_secret, scopes_for
from entitlements.models import Activation, Device, LicenseModel, LineItem, Product, today
from entitlements.orders.services.issue import NewLine, create_entitlement, deploy_entitlement
from entitlements.splits.services.split import split_line_item
from mxportal.shared.forms import new_key

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def make_account(tier: Tier, name: str, *, sellers: tuple[Account, ...] = (), **fields: Any) -> Account:
    """An account that its sellers have an accepted relation with."""
    account = Account.objects.create(tier=tier, name=name, city="Kaiserslautern", country="DE", **fields)
    for seller in sellers:
        make_relation(seller, account)
    return account


def make_relation(seller: Account, buyer: Account, status: str = RelationStatus.ACCEPTED) -> SellingRelation:
    """A relation; decided unless it is a request."""
    decided = None if status == RelationStatus.REQUESTED else timezone.now()
    return SellingRelation.objects.create(seller=seller, buyer=buyer, status=status, decided_at=decided)


def make_user(
    account: Account, first_name: str = "Alex", *, role: Role | None = Role.PORTAL_ADMIN, **fields: Any
) -> User:
    """A user with PASSWORD, or with ``role=None`` a contact."""
    number = next(_numbers)
    fields.setdefault("email", f"{first_name.lower()}{number}@{account.tier.replace('_', '-')}.example")
    user = User(
        account=account,
        first_name=first_name,
        last_name=f"Person{number}",
        can_log_in=role is not None,
        role=role or "",
        **fields,
    )
    if role is None:
        user.set_unusable_password()
    else:
        user.set_password(PASSWORD)
    user.save()
    return user


def make_contact(account: Account, first_name: str = "Chris", **fields: Any) -> User:
    """A person without a login."""
    return make_user(account, first_name, role=None, **fields)


def make_product(part_number: str = "", **fields: Any) -> Product:
    """A perpetual product."""
    fields = {
        "name_en": "Video Analytics",
        "name_de": "Videoanalyse",
        "license_model": LicenseModel.PERPETUAL,
    } | fields
    return Product.objects.create(part_number=part_number or f"Mx-{next(_numbers):05}", **fields)


def issue_item(
    cast: "Cast", owner: Account | None = None, *, quantity: int = 100, deploy: bool = True, **fields: Any
) -> LineItem:
    """An item that MOBOTIX issued, by default to the cast's distributor."""
    owner = owner or cast.distributor.account
    contact = owner.users.order_by("pk").first() or make_contact(owner)
    line: dict[str, Any] = {
        "product_id": cast.product.pk,
        "quantity": quantity,
        "starts_on": today(),
        "expires_on": None,
    } | {name: fields.pop(name) for name in ("product_id", "starts_on", "expires_on") if name in fields}
    entitlement = create_entitlement(
        actor=cast.mobotix,
        owner_id=owner.pk,
        contact_id=contact.pk,
        lines=[NewLine(**line)],
        key=new_key(),
        **fields,
    )
    if deploy:
        deploy_entitlement(actor=cast.mobotix, entitlement_id=entitlement.pk, key=new_key(), send_mail=False)
    return entitlement.line_items.get()


def split_item(
    actor: User, source: LineItem, target: Account, *, copies: int = 10, **fields: Any
) -> LineItem:
    """A split by the service itself."""
    contact = target.users.active().order_by("pk").first() or make_contact(target)
    fields.setdefault("send_mail", False)
    fields.setdefault("key", new_key())
    return split_line_item(
        actor=actor, item_id=source.pk, target_id=target.pk, contact_id=contact.pk, copies=copies, **fields
    )


def make_token(
    user: User, *scopes: str, secret: str = "", name: str = "ERP", expires_on: date | None = None
) -> ApiToken:
    """An API token of this admin, by default with every scope that it may have."""
    return create_api_token(
        actor=user,
        key=new_key(),
        secret=secret or new_secret(),
        name=name,
        scopes=scopes or scopes_for(user),
        expires_on=expires_on,
    )


def make_activation(item: LineItem, **fields: Any) -> Activation:
    """An item's activation on a new device of its owner, with no copies yet."""
    number = next(_numbers)
    device = Device.objects.create(
        account=item.owner, host_id=f"00:03:C5:00:{number // 256 % 256:02X}:{number % 256:02X}", **fields
    )
    return Activation.objects.create(item=item, device=device)


@dataclass
class Cast:
    """MOBOTIX, a distributor, its installer and that one's end customer; and the outsiders beside them.

    Each ``…_viewer`` has the Portal User Role, everybody else the Portal Admin User Role.
    """

    mobotix: User
    mobotix_viewer: User
    distributor: User
    distributor_viewer: User
    installer: User
    installer_viewer: User
    customer: Account
    customer_contact: User
    other_distributor: User
    other_distributor_viewer: User
    other_installer: User
    other_installer_viewer: User
    sibling_installer: User
    sibling_installer_viewer: User
    product: Product


def make_cast() -> Cast:
    """The whole cast. ``other_…`` belong to another distributor's channel, ``sibling_…`` to the same distributor's."""
    mobotix = make_account(Tier.MOBOTIX, "MOBOTIX AG")
    distributor = make_account(Tier.DISTRIBUTOR, "Nordlicht Distribution", sellers=(mobotix,))
    installer = make_account(Tier.INSTALLER, "Blick Sicherheitstechnik", sellers=(distributor,))
    customer = make_account(Tier.END_CUSTOMER, "City Hospital", sellers=(installer,))
    other_distributor = make_account(Tier.DISTRIBUTOR, "Outside Trading", sellers=(mobotix,))
    other_installer = make_account(Tier.INSTALLER, "Outside Cameras", sellers=(other_distributor,))
    sibling = make_account(Tier.INSTALLER, "Sibling Alarms", sellers=(distributor,))

    def pair(account: Account, name: str) -> tuple[User, User]:
        return make_user(account, name), make_user(account, f"{name}Viewer", role=Role.PORTAL_USER)

    people = {
        name: pair(account, first_name)
        for name, account, first_name in (
            ("mobotix", mobotix, "Mara"),
            ("distributor", distributor, "Dora"),
            ("installer", installer, "Ines"),
            ("other_distributor", other_distributor, "Otto"),
            ("other_installer", other_installer, "Olga"),
            ("sibling_installer", sibling, "Sven"),
        )
    }
    users = {name: admin for name, (admin, _) in people.items()}
    users |= {f"{name}_viewer": viewer for name, (_, viewer) in people.items()}
    return Cast(
        customer=customer, customer_contact=make_contact(customer, "Carla"), product=make_product(), **users
    )


@dataclass
class Chain:
    """One product sold down the whole chain: issued, split to the installer, split to the end customer."""

    issued: LineItem
    installed: LineItem
    served: LineItem


def make_chain(cast: Cast, *, quantity: int = 100, order_number: str = "") -> Chain:
    """100 copies issued, 40 split to the installer, 5 of these to the end customer."""
    issued = issue_item(cast, quantity=quantity)
    installed = split_item(cast.distributor, issued, cast.installer.account, copies=40)
    served = split_item(cast.installer, installed, cast.customer, copies=5, order_number=order_number)
    for item in (issued, installed):
        item.refresh_from_db()
    return Chain(issued=issued, installed=installed, served=served)


def yesterday() -> date:
    """For what has expired."""
    return today() - timedelta(days=1)
