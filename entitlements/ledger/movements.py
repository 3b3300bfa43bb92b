"""E11: writing movements. This is the only module that does."""

from collections.abc import Iterable

from django.db import IntegrityError, connection, transaction
from prometheus_client import Counter

from accounts.models import User
from entitlements.models import Activation, LineItem, Movement, MovementKind
from entitlements.models.movement import WITH_PARENT

WRITTEN_BY_TRIGGERS = ("quantity", "available", "split", "activated", "ledger_position")  # of a line item
ACTIVATION_WRITTEN_BY_TRIGGERS = ("copies", "ledger_position")

# In SQL, as it runs beside each movement: the ORM needs longer to compile it, and PostgreSQL to plan its outer joins.
WITHOUT_EFFECT = """
SELECT 1 FROM entitlements_movement movement JOIN entitlements_lineitem item ON item.id = movement.item_id
WHERE movement.id BETWEEN %s AND %s AND (
  item.ledger_position < movement.id
  OR EXISTS (SELECT 1 FROM entitlements_lineitem parent
    WHERE parent.id = movement.parent_id AND parent.ledger_position < movement.id)
  OR EXISTS (SELECT 1 FROM entitlements_activation activation
    WHERE activation.id = movement.activation_id AND activation.ledger_position < movement.id)
  OR NOT EXISTS (SELECT 1 FROM entitlements_unsealedmovement waiting WHERE waiting.movement_id = movement.id)
    AND NOT EXISTS (SELECT 1 FROM entitlements_ledgerleaf leaf WHERE leaf.movement_id = movement.id))
LIMIT 1
"""

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
            parent_id=item.parent_id if kind in WITH_PARENT else None,
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
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_EFFECT, [movements[0].pk, movements[-1].pk])
        without_effect = cursor.fetchone()
    if without_effect:
        raise IntegrityError(
            "ledger: a movement had no effect, for a trigger is missing: run manage.py migrate"
        )


def _count(kind: MovementKind, movements: int) -> None:
    def count() -> None:
        MOVEMENTS.labels(kind).inc(movements)

    transaction.on_commit(count, robust=True)
