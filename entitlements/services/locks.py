"""Locking many line items in one order, so that two who need the same ones never wait for each other for ever."""

from collections.abc import Iterable

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
