"""E11: writing movements. This is the only module that does."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from prometheus_client import Counter

from accounts.models import User
from entitlements.models import Activation, LineItem, Movement, MovementKind
from entitlements.models.movement import BETWEEN_TWO

WRITTEN_BY_TRIGGERS = ("quantity", "available", "split", "activated", "ledger_position")  # of a line item
ACTIVATION_WRITTEN_BY_TRIGGERS = ("copies", "ledger_position")

MOVEMENTS = Counter("portal_movements", "Movements that were committed, by kind.", ["kind"])


def move(*, actor: User, kind: MovementKind, item: LineItem, copies: int, reason: str = "") -> Movement:
    """``move_many`` for one."""
    return move_many(actor=actor, kind=kind, parts=[(item, copies)], reason=reason)[0]


def move_many(
    *, actor: User, kind: MovementKind, parts: Iterable[tuple[LineItem, int]], reason: str = ""
) -> list[Movement]:
    """Write movements of so many copies each within the caller's transaction, under its locks.

    The balances follow in the database; refresh the instances that are read afterwards. Raises IntegrityError where a
    balance would fall below 0, and where the movements had no effect because the triggers are missing.
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
    _check_effect(movements)
    _count(kind, len(movements))
    return movements


def move_on_device(
    *, actor: User | None, kind: MovementKind, activation: Activation, copies: int, reason: str = ""
) -> Movement:
    """L2, L4: copies of an item go on a device, or come back from it. ``actor`` is None for the bearer of an ID."""
    movement = Movement.objects.create(
        actor=actor,
        kind=kind,
        item_id=activation.item_id,
        activation=activation,
        copies=copies,
        reason=reason,
    )
    _check_effect([movement])
    _count(kind, 1)
    return movement


def _check_effect(movements: list[Movement]) -> None:
    """Refuse movements that the triggers did not apply or did not queue for sealing (E11). One query for all of them.

    The trigger that writes a balance writes the movement's number beside it. Other movements between the first and the
    last of these may be seen, too; those have had their effect.
    """
    if not movements:
        return
    written = Movement.objects.filter(pk__range=(movements[0].pk, movements[-1].pk))
    not_applied = (
        Q(item__ledger_position__lt=F("pk"))
        | Q(parent__ledger_position__lt=F("pk"))
        | Q(activation__ledger_position__lt=F("pk"))
    )
    if written.filter(not_applied | Q(unsealed__isnull=True, leaf__isnull=True)).exists():
        raise IntegrityError(
            "ledger: a movement had no effect, for a trigger is missing: run manage.py migrate"
        )


def _count(kind: MovementKind, movements: int) -> None:
    def count() -> None:
        MOVEMENTS.labels(kind).inc(movements)

    transaction.on_commit(count, robust=True)
