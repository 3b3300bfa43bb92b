"""Locking many line items in one order, so that two who need the same ones never wait for each other for ever."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from entitlements.models import LineItem

AT_ONCE = 10_000  # ids in one statement; SQLite takes some 32,000


def lock_items(ids: Iterable[int]) -> list[LineItem]:
    """Lock the items by key and return them as they are now. An item is younger than what it was split from, so that
    parents come before their splits.

    By their ids alone: where a condition with a subquery is looked at again after the wait for a lock, PostgreSQL can
    leave rows out.
    """
    ordered, locked = (
        sorted(set(ids)),
        LineItem.objects.select_for_update(no_key=True, of=("self",)).order_by("pk"),
    )
    found: list[LineItem] = []
    for start in range(0, len(ordered), AT_ONCE):
        found += locked.filter(pk__in=ordered[start : start + AT_ONCE])
    return found


def ids_above(items: QuerySet[LineItem]) -> set[int]:
    """The items that these were split from, and so on up to those that MOBOTIX issued; a chain has three levels."""
    return {pk for pair in items.order_by().values_list("parent", "parent__parent") for pk in pair if pk}


def lock_above(items: QuerySet[LineItem]) -> list[LineItem]:
    """L4: lock what the items descend from, before the items themselves: the order is that of ``lock_items``.

    Returns them upwards.
    """
    return lock_items(ids_above(items))[::-1]


def above_of(item: LineItem, locked: Mapping[int, LineItem]) -> list[LineItem] | None:
    """What the item descends from, upwards, out of what is locked; None where that is not all of it."""
    above: list[LineItem] = []
    parent_id = item.parent_id
    while parent_id is not None:
        if parent_id not in locked:
            return None
        above.append(locked[parent_id])
        parent_id = above[-1].parent_id
    return above


def lock_with_parent(actor: User, item_id: int) -> LineItem:
    """Lock the parent, then the item (always in this order). Raises LineItem.DoesNotExist."""
    visible = LineItem.objects.visible_to(actor)
    parent_id = visible.values_list("parent", flat=True).get(pk=item_id)
    if parent_id is not None:
        LineItem.objects.select_for_update(no_key=True, of=("self",)).get(pk=parent_id)
    return visible.select_for_update(no_key=True, of=("self",)).get(pk=item_id)


def lock_item(items: Any) -> LineItem:
    """The one item, locked. Raises LineItem.DoesNotExist."""
    return items.select_for_update(no_key=True, of=("self",)).select_related("product").get()
