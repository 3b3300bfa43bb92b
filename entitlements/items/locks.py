"""Locking of many line items in one order, so that transactions that need the same items cannot deadlock."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from entitlements.models import LineItem

MAX_LOCKED_IDS = 10_000  # in one statement; SQLite allows some 32,000


def lock_items(ids: Iterable[int]) -> list[LineItem]:
    """Lock the items in the order of their keys and return their present rows.

    An item has a higher key than its parent, so parents are locked before their splits. The rows are selected by their
    ids alone: where PostgreSQL evaluates a condition with a subquery again after waiting for a lock, it can leave rows
    out.
    """
    ordered, locked = sorted(set(ids)), LineItem.objects.for_update().order_by("pk")
    found: list[LineItem] = []
    for start in range(0, len(ordered), MAX_LOCKED_IDS):
        found += locked.filter(pk__in=ordered[start : start + MAX_LOCKED_IDS])
    return found


def ids_above(items: QuerySet[LineItem]) -> set[int]:
    """Return the ids of all items that these descend from, up to the issued ones; a chain has three levels."""
    return {pk for pair in items.order_by().values_list("parent", "parent__parent") for pk in pair if pk}


def lock_above(items: QuerySet[LineItem]) -> list[LineItem]:
    """Lock the items that ``items`` descend from, which precede them in the order of ``lock_items`` (L4).

    Returns them from the bottom up.
    """
    return lock_items(ids_above(items))[::-1]


def locked_ancestors(item: LineItem, locked: Mapping[int, LineItem]) -> list[LineItem] | None:
    """Return the locked items that ``item`` descends from, from the bottom up; None if one is not locked."""
    above: list[LineItem] = []
    parent_id = item.parent_id
    while parent_id is not None:
        if parent_id not in locked:
            return None
        above.append(locked[parent_id])
        parent_id = above[-1].parent_id
    return above


def lock_with_parent(actor: User, item_id: int) -> LineItem:
    """Lock the parent and then the item, always in this order.

    Raises LineItem.DoesNotExist.
    """
    visible = LineItem.objects.visible_to(actor)
    parent_id = visible.values_list("parent", flat=True).get(pk=item_id)
    if parent_id is not None:
        LineItem.objects.for_update().get(pk=parent_id)
    return visible.for_update().get(pk=item_id)


def lock_item(items: Any) -> LineItem:
    """Lock and return the only item of a query, with its product.

    Raises LineItem.DoesNotExist.
    """
    return items.for_update().select_related("product").get()
