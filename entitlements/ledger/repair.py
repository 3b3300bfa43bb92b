"""Repair of balances from the movements, for the operator of the portal only (E11)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import F, Max

from accounts.models import AuditEntry
from entitlements.ledger.guarding import unguarded
from entitlements.ledger.sealing.record_verification import RecordsCheck
from entitlements.ledger.sealing.verification import tree_findings
from entitlements.ledger.verification import (
    BALANCES,
    Difference,
    DifferenceOnDevice,
    differences,
    differences_on_devices,
)
from entitlements.models import Activation, LineItem, Movement, UnsealedRecord
from entitlements.models.kinds import Action

REPAIR_REASON = "manage.py verify_ledger --repair"
OWNS_TABLES = (
    "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('entitlements_lineitem')"
)
QUEUE_LEFT_OUT = """
INSERT INTO entitlements_unsealedmovement (movement_id)
SELECT movement.id FROM entitlements_movement movement
WHERE NOT EXISTS (SELECT 1 FROM entitlements_ledgerleaf leaf WHERE leaf.movement_id = movement.id)
  AND NOT EXISTS (SELECT 1 FROM entitlements_unsealedmovement waiting WHERE waiting.movement_id = movement.id)
"""
MAX_SUGGESTED_ITEMS = 5  # line items from which copies could be taken back


class CannotRepairError(Exception):
    """The ledger cannot be repaired, and nothing was changed; the text says why."""


@dataclass
class Repair:
    """What was repaired and what could not be, as one sentence each.

    ``queued`` movements and ``records`` were neither sealed nor queued for sealing, and are queued now.
    """

    repaired: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    queued: int = 0
    records: int = 0


def repair_ledger() -> Repair:
    """Write every balance that differs from its movements, in one transaction, while nobody moves copies (E11).

    A balance cannot be below 0: where the movements say so, copies were given away twice, and nothing in that item's
    tree is changed. Raises CannotRepairError where the movements do not verify, or without the owner's rights.
    """
    check_owner()
    _check_movements()
    repair = Repair()
    with unguarded(connection):
        with connection.cursor() as cursor:
            cursor.execute(QUEUE_LEFT_OUT)
            repair.queued = cursor.rowcount
        repair.records = _queue_records()
        _repair_balances(repair)
        _queue_records()  # the audit entries that this has written without the trigger
    return repair


def _queue_records() -> int:
    """Queue line items, licenses and audit entries that are neither sealed nor queued; return how many there were."""
    check = RecordsCheck()
    check.see_all()
    return len(UnsealedRecord.objects.bulk_create(check.unqueued(), batch_size=1_000))


def check_owner() -> None:
    """Check that the connection has the rights of the tables' owner.

    Raises CannotRepairError.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(OWNS_TABLES)
        if cursor.fetchone() != (True,):
            raise CannotRepairError(
                "Only the owner of the tables may write balances. Set DATABASE_OWNER_URL, as for manage.py migrate."
            )


def _check_movements() -> None:
    """Check that the movements verify: balances from forged movements would only hide the forgery.

    Raises CannotRepairError.
    """
    for finding in tree_findings():
        raise CannotRepairError(
            f"The movements themselves do not verify, so no balance can follow from them: {finding}. Restore a backup."
        )


def _repair_balances(repair: Repair) -> None:
    items, devices = list(differences()), list(differences_on_devices())
    owners = dict(
        Activation.objects.filter(pk__in=[one.activation_id for one in devices]).values_list("pk", "item_id")
    )
    roots = _roots({one.item_id for one in items} | set(owners.values()))
    impossible = [one for one in items if min(one.computed) < 0]
    blocked = {roots[one.item_id] for one in impossible}
    blocked |= {roots[owners[one.activation_id]] for one in devices if one.computed < 0}
    for one in items:
        if roots[one.item_id] not in blocked:
            _write_balances(one)
            repair.repaired.append(str(one))
    for device in devices:
        if roots[owners[device.activation_id]] not in blocked:
            _write_copies(device)
            repair.repaired.append(str(device))
    repair.left = [_advice(one, roots[one.item_id], {two.item_id for two in items}) for one in impossible]


def _roots(items: Iterable[int]) -> dict[int, int]:
    """Return the issued item at the top of each item's tree."""
    top = {pk: pk for pk in items}
    while True:
        found = LineItem.objects.filter(pk__in=set(top.values()), parent__isnull=False)
        parents = dict(found.values_list("pk", "parent_id"))
        if not parents:
            return top
        top = {pk: parents.get(above, above) for pk, above in top.items()}


def _write_balances(one: Difference) -> None:
    """Write the balances, and beside them the newest movement that they follow from."""
    filled = Movement.objects.filter(item=one.item_id).aggregate(newest=Max("pk"))["newest"] or 0
    gave = Movement.objects.filter(parent=one.item_id).aggregate(newest=Max("pk"))["newest"] or 0
    values = dict(zip(BALANCES, one.computed, strict=True))
    LineItem.objects.filter(pk=one.item_id).update(**values, ledger_position=max(filled, gave))
    stored = dict(zip(BALANCES, one.stored, strict=True))
    _record(LineItem(pk=one.item_id), before=stored, after=values)


def _write_copies(one: DifferenceOnDevice) -> None:
    newest = Movement.objects.filter(activation=one.activation_id).aggregate(newest=Max("pk"))["newest"] or 0
    Activation.objects.filter(pk=one.activation_id).update(copies=one.computed, ledger_position=newest)
    _record(Activation(pk=one.activation_id), before={"copies": one.stored}, after={"copies": one.computed})


def _record(about: LineItem | Activation, **details: dict[str, int]) -> None:
    AuditEntry.objects.record(
        actor=None, action=Action.BALANCES_REPAIRED, about=about, reason=REPAIR_REASON, **details
    )


def _advice(one: Difference, root: int, differing: set[int]) -> str:
    """Return the sentence that says what to do about copies that were given away twice."""
    missing = -min(one.computed)
    children = LineItem.objects.filter(parent=one.item_id, available__gt=0).exclude(pk__in=differing)
    named = ", ".join(
        map(str, children.order_by(F("available").desc()).values_list("pk", flat=True)[:MAX_SUGGESTED_ITEMS])
    )
    return (
        f"line item {one.item_id}: its movements gave away {missing} copies more than it had, so nothing of its tree"
        f" (from line item {root} down) was changed. Set it inactive, so that nobody splits it meanwhile, and undo"
        f" {missing} copies of what was split from it (with copies left: {named or 'none'}), or, if MOBOTIX issued it,"
        f" raise its quantity by {missing}. Then run --repair again."
    )
