"""What the page of one line item shows to one reader (A4, E5, E9, E12)."""

from dataclasses import dataclass

from accounts.models import User
from accounts.permissions import Permission
from accounts.visibility import visible_names
from entitlements.activation.pages.rows import ActivationRow, rows_of_item
from entitlements.items.actions import ItemMenu, menus_of_item
from entitlements.items.predicates import is_party, may_hand_on
from entitlements.items.rows import (
    ChainLink,
    ItemRow,
    chain_ids,
    chain_of,
    item_row,
    shown_seller_id,
)
from entitlements.items.shortcuts import ACTIVATIONS_SHOWN
from entitlements.mailing.services.addressees import with_addressees
from entitlements.models import LineItem
from entitlements.splits.services.obstacles import undo_notes
from notifications.models import Mail

MAILS_SHOWN = 50


@dataclass(frozen=True)
class ItemPage:
    """One line item as one reader may see it. ``contact``, ``mails`` and ``activations`` are for parties only."""

    row: ItemRow
    menus: list[ItemMenu]
    chain: list[ChainLink]
    seller: str
    serving: str
    contact: str
    contact_email: str
    parent: ItemRow | None
    is_split: bool
    mails: list[Mail]
    may_send_again: bool
    activations: list[ActivationRow]
    undo_notes: list[str]


def item_page(actor: User, item: LineItem) -> ItemPage:
    """Return everything but the splits of a visible item, which has product, entitlement and contact selected."""
    parent = visible_parent(actor, item)
    ids = chain_ids(item) + ([parent.owner_id] if parent else [])
    names = visible_names(actor, ids)
    party = is_party(actor, item)
    return ItemPage(
        row=item_row(actor, item, names),
        menus=menus_of_item(actor, item),
        chain=chain_of(item, names),
        seller=names[shown_seller_id(actor, item)],
        serving=names[item.serving_account_id] if item.serving_account_id else "",
        contact=str(item.contact) if party else "",
        contact_email=item.contact.email if party else "",
        parent=item_row(actor, parent, names) if parent else None,
        is_split=item.parent_id is not None,
        mails=with_addressees(actor, item.mails.order_by("-id")[:MAILS_SHOWN]) if party else [],
        may_send_again=actor.may(Permission.SEND_MAIL) and may_hand_on(actor, item),
        activations=rows_of_item(actor, item, ACTIVATIONS_SHOWN),
        undo_notes=undo_notes(actor, item),
    )


def visible_parent(actor: User, item: LineItem) -> LineItem | None:
    """Return the item that this one was split from, if the reader sees it (E12)."""
    if item.parent_id is None:
        return None
    visible = LineItem.objects.visible_to(actor).select_related("product", "entitlement")
    return visible.filter(pk=item.parent_id).first()
