"""E11: writing movements. This is the only module that does."""

from collections.abc import Iterable

from django.db import transaction
from prometheus_client import Counter

from accounts.models import User
from entitlements.models import LineItem, Movement, MovementKind
from entitlements.models.movement import BETWEEN_TWO

WRITTEN_BY_TRIGGERS = ("quantity", "available", "split", "activated", "ledger_position")  # of a line item

MOVEMENTS = Counter("portal_movements", "Movements that were committed, by kind.", ["kind"])


def move(*, actor: User, kind: MovementKind, item: LineItem, copies: int, reason: str = "") -> Movement:
    """``move_many`` for one."""
    return move_many(actor=actor, kind=kind, parts=[(item, copies)], reason=reason)[0]


def move_many(
    *, actor: User, kind: MovementKind, parts: Iterable[tuple[LineItem, int]], reason: str = ""
) -> list[Movement]:
    """Write movements of so many copies each within the caller's transaction, under its locks.

    The balances follow in the database; refresh the instances that are read afterwards. Raises IntegrityError where a
    balance would fall below 0.
    """
    movements = Movement.objects.bulk_create(
        Movement(
            actor=actor,
            kind=kind,
            item=item,
            parent_id=item.parent_id if kind in BETWEEN_TWO else None,
            copies=copies,
            reason=reason,
        )
        for item, copies in parts
    )

    def count() -> None:
        MOVEMENTS.labels(kind).inc(len(movements))

    transaction.on_commit(count, robust=True)
    return movements
