"""Rows of line items with everything masked for one reader, for templates, exports and mails (A4, E5, E12).

Templates of pages get these rows and no LineItem, so that they cannot show more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise

from accounts.models import Tier, User
from accounts.visibility import visible_names
from entitlements.items.predicates import is_party
from entitlements.models import LineItem
from entitlements.models.line_item import CHAIN


def shown_activation_id(actor: User, item: LineItem) -> str:
    """Return the Activation ID in full for parties, its last group for the others up the chain (E5)."""
    return item.activation_id if is_party(actor, item) else f"…-{item.activation_id_tail}"


def shown_order_number(actor: User, item: LineItem) -> str:
    """Return the order number for seller, owner, serving account and MOBOTIX; "" for others (E7)."""
    return item.entitlement.order_number if is_party(actor, item) else ""


def shown_seller_id(actor: User, item: LineItem) -> int:
    """Return the id of the account to show as seller: an account that serves another's item sees itself (E17)."""
    return actor.account_id if item.serving_account_id == actor.account_id else item.seller_id


@dataclass(frozen=True)
class ItemRow:
    """One line item in a list, as one reader may see it (A4, E5)."""

    pk: int
    activation_id: str
    in_full: bool
    entitlement_pk: int
    entitlement_id: str
    product: str
    part_number: str
    unit: str
    quantity: int
    available: int
    split: int
    activated: int
    starts_on: date
    expires_on: date
    state: str
    is_expired: bool
    owner: str
    order_number: str


def item_rows(actor: User, items: Iterable[LineItem]) -> list[ItemRow]:
    """Return rows of visible items, which have product and entitlement selected. One query, for the names."""
    items = list(items)
    names = visible_names(actor, [item.owner_id for item in items])
    return [item_row(actor, item, names) for item in items]


def item_row(actor: User, item: LineItem, names: dict[int, str]) -> ItemRow:
    """Return one row; ``names`` comes from ``visible_names``."""
    return ItemRow(
        pk=item.pk,
        activation_id=shown_activation_id(actor, item),
        in_full=is_party(actor, item),
        entitlement_pk=item.entitlement_id,
        entitlement_id=item.entitlement.entitlement_id,
        product=item.product.name,
        part_number=item.product.part_number,
        unit=item.product.unit,
        quantity=item.quantity,
        available=item.available,
        split=item.split,
        activated=item.activated,
        starts_on=item.starts_on,
        expires_on=item.expires_on,
        state=item.state,
        is_expired=item.is_expired,
        owner=names[item.owner_id],
        order_number=shown_order_number(actor, item),
    )


@dataclass(frozen=True)
class ChainLink:
    """One tier that an item passed through (E2)."""

    tier: str | Promise
    name: str
    is_owner: bool


def chain_ids(item: LineItem) -> list[int]:
    """Return the ids of all accounts that an item's page names."""
    columns = [f"{column}_id" for column in CHAIN.values()] + ["owner_id", "seller_id", "serving_account_id"]
    return [pk for pk in (getattr(item, column) for column in columns) if pk is not None]


def chain_of(item: LineItem, names: dict[int, str]) -> list[ChainLink]:
    """Return the links distributor → installer → end customer, as far as the item came, with masked names (E2, A4)."""
    links = []
    for tier, column in CHAIN.items():
        pk = getattr(item, f"{column}_id")
        if pk is not None:
            links.append(ChainLink(tier=Tier(tier).label, name=names[pk], is_owner=pk == item.owner_id))
    return links
