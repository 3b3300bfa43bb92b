"""List Entitlements: its filters, and the query parts that each use an index at a million rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Tier, User
from entitlements.items.search import MAX_FOUND, find_ids
from entitlements.models import LineItem, Product
from entitlements.models.line_item import CHAIN, LineItemQuerySet
from mxportal.shared.pagination import IndexedPart, first_rows

EXPIRED = "expired"
TO_HAND_ON = "to_hand_on"
NEWEST = ("-id",)
BY_EXPIRATION = ("expires_on", "id")
Narrow = Callable[[LineItemQuerySet], LineItemQuerySet]


def for_rows(items: LineItemQuerySet) -> LineItemQuerySet:
    """Select what a row shows, so that a page of any length takes the same number of queries."""
    return items.select_related("product", "entitlement")


class Shown(models.TextChoices):
    """The tabs of the list: whose items it shows."""

    ALL = "all", _("All")
    OURS = "ours", _("Ours")
    SOLD = "sold", _("Sold by us")
    BELOW = "below", _("Further down")


class Sort(models.TextChoices):
    """The orders of the list; Activation IDs and owners' names are not among them (E5, E12)."""

    NEWEST = "newest", _("Newest first")
    EXPIRATION = "expiration", _("Expiration")


ORDERS = {Sort.NEWEST: NEWEST, Sort.EXPIRATION: BY_EXPIRATION}


def columns_of(actor: User, shown: str = Shown.ALL) -> list[str]:
    """Return the columns of a tab, at least one of which holds the actor's account; none means all items."""
    if shown == Shown.OURS:
        return ["owner"]
    if shown == Shown.SOLD:
        return ["seller", "serving_account"]
    if actor.account.is_mobotix:
        return []
    in_chain = CHAIN[Tier(actor.account.tier)]
    return [in_chain] if shown == Shown.BELOW else [in_chain, "serving_account"]


def tabs_of(actor: User) -> list[Shown]:
    """Return the tabs that can hold items for the actor.

    MOBOTIX owns no item, and what an installer sells is not sold further.
    """
    if actor.account.is_mobotix:
        return [Shown.SOLD, Shown.BELOW, Shown.ALL]
    has_partners = bool(actor.account.partner_tiers())
    below = [Shown.BELOW] if has_partners else []
    return [Shown.OURS, Shown.SOLD, *below, Shown.ALL]


def visible_parts(
    actor: User, shown: str = Shown.ALL, *, narrow: Narrow = for_rows
) -> list[IndexedPart[LineItem]]:
    """Return the items of a tab that the actor sees, in parts that an index serves in both orders of the list (E12)."""
    columns = columns_of(actor, shown)
    if not columns:
        return [IndexedPart(narrow(LineItem.objects.visible_to(actor)))]
    items = LineItem.objects
    return [
        IndexedPart(narrow(items.visible_to_as(actor, column)), {column: actor.account_id})
        for column in columns
    ]


@dataclass(frozen=True)
class Listing:
    """What a list shows: visible items and their query parts; ``capped`` where a search found more than it shows."""

    items: LineItemQuerySet
    parts: list[IndexedPart[LineItem]]
    capped: bool = False


def list_items(
    *,
    actor: User,
    shown: str = "",
    product: Product | None = None,
    state: str = "",
    expiring: str = "",
    q: str = "",
) -> Listing:
    """Return the items of List Entitlements, filtered; the search applies within the other filters."""

    def narrow(items: LineItemQuerySet) -> LineItemQuerySet:
        items = items.further_down(actor.account) if shown == Shown.BELOW else items
        return _narrowed(items, product, state, expiring)

    parts = visible_parts(actor, shown, narrow=narrow)
    if q:
        ids = sorted(find_ids(actor, [part.queryset for part in parts], q), reverse=True)
        found = for_rows(LineItem.objects.visible_to(actor).filter(pk__in=ids[:MAX_FOUND]))
        return Listing(found, [IndexedPart(found)], capped=len(ids) > MAX_FOUND)
    visible = narrow(LineItem.objects.visible_to(actor))
    if shown == Shown.OURS:
        return Listing(visible.owned_by(actor.account), parts)
    return Listing(visible.sold_by(actor.account) if shown == Shown.SOLD else visible, parts)


def _narrowed(
    items: LineItemQuerySet, product: Product | None, state: str, expiring: str
) -> LineItemQuerySet:
    if product:
        items = items.filter(product=product)
    if state == TO_HAND_ON:
        items = items.to_hand_on()
    elif state:
        items = items.expired() if state == EXPIRED else items.filter(state=state)
    return for_rows(items.expiring_within(int(expiring)) if expiring else items)


def first_visible(actor: User, narrow: Narrow, *, order: Sequence[str], size: int) -> list[LineItem]:
    """Return the first ``size`` items that the actor sees after ``narrow``, with what a row shows."""
    return first_rows(
        visible_parts(actor, narrow=lambda items: for_rows(narrow(items))), order=order, size=size
    )
