"""Writing of movements; no other module writes them (E11)."""

from collections.abc import Iterable

from django.db import IntegrityError, connection, transaction
from prometheus_client import Counter

from accounts.models import User
from entitlements.models import Activation, LineItem, Movement, MovementKind
from entitlements.models.movement import WITH_PARENT

WRITTEN_BY_TRIGGERS = ("quantity", "available", "split", "activated", "ledger_position")  # of a line item
ACTIVATION_WRITTEN_BY_TRIGGERS = ("copies", "ledger_position")

# In SQL, because it runs with each movement: the ORM compiles it longer, and PostgreSQL plans its joins longer.
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


def record_movement(
    *, actor: User, kind: MovementKind, item: LineItem, copies: int, reason: str = ""
) -> Movement:
    """Write one movement; see ``record_movements``."""
    return record_movements(actor=actor, kind=kind, parts=[(item, copies)], reason=reason)[0]


def record_movements(
    *, actor: User, kind: MovementKind, parts: Iterable[tuple[LineItem, int]], reason: str = ""
) -> list[Movement]:
    """Write movements of the given copies within the caller's transaction, under its locks (E11).

    ``parts`` are pairs of a line item and its number of copies. The balances follow in the database; refresh the
    instances that are read afterwards. Raises IntegrityError where a balance would fall below 0, and where the
    movements had no effect because the triggers are missing.
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


def record_device_movement(
    *, actor: User | None, kind: MovementKind, activation: Activation, copies: int, reason: str = ""
) -> Movement:
    """Write the movement that puts copies of an item on a device or takes them back (L2, L4).

    ``actor`` is None for the bearer of an Activation ID. Raises IntegrityError as ``record_movements`` does.
    """
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
    """Refuse movements that the triggers did not apply or did not queue for sealing, in one query (E11).

    The trigger that writes a balance stores the movement's number beside it. The query may also see other movements
    between the first and the last of these; those have had their effect. Raises IntegrityError.
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
