"""E11: writing movements. This is the only module that does."""

from accounts.models import User
from entitlements.models import LineItem, Movement, MovementKind

WRITTEN_BY_TRIGGERS = ("quantity", "available", "split", "activated", "ledger_position")  # of a line item


def move(*, actor: User, kind: MovementKind, item: LineItem, copies: int, reason: str = "") -> Movement:
    """Write one movement within the caller's transaction, under its locks; the balances follow in the database.

    Refresh the instances that are read afterwards. Raises IntegrityError where a balance would fall below 0.
    """
    return Movement.objects.create(
        actor=actor, kind=kind, item=item, parent_id=item.parent_id, copies=copies, reason=reason
    )
