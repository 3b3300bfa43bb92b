"""Removal of what was added after the newest signed head, so that sealing goes on; for the tables' owner (E11)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from accounts.models import AuditEntry
from entitlements.ledger.guarding import unguarded
from entitlements.ledger.repair import REPAIR_REASON, CannotRepairError, check_owner
from entitlements.ledger.sealing.anchors import KeptHead
from entitlements.ledger.sealing.merkle import node_count
from entitlements.ledger.sealing.tree import (
    SealingStoppedError,
    head_statement,
    newest_signed_head,
    stored_frontier,
    tree_problem,
)
from entitlements.models import LedgerHead, LedgerLeaf, LedgerNode, PublishedHead, SealedRecords
from entitlements.models.kinds import Action


@dataclass(frozen=True)
class SetAside:
    """The removed heads with their statements and signatures, and the ``size`` of the remaining tree."""

    heads: list[dict[str, str | int]]
    leaves: int
    size: int

    def __str__(self) -> str:
        return (
            f"{len(self.heads)} heads that nobody signed and {self.leaves} leaves after the signed head at {self.size};"
            " what they were about waits to be sealed again"
        )


def set_unsigned_heads_aside(kept: Iterable[KeptHead] = ()) -> SetAside | None:
    """Remove the heads after the newest signed one, with their leaves; the audit trail keeps their statements (E11).

    Movements and records stay, and ``repair_ledger`` queues those that have no leaf any more. Returns None where
    sealing can go on. Raises CannotRepairError where more than an addition would be removed: no head is signed, the
    signed head does not fit the tree, or a later head was ``kept`` elsewhere.
    """
    check_owner()
    if not tree_problem():
        return None
    with unguarded(connection):
        signed = _signed_head()
        if later := [head.size for head in kept if head.size > signed.size]:
            raise CannotRepairError(
                f"The newest signed head is at {signed.size}, and one at {max(later)} is kept elsewhere."
                " Restore a backup."
            )
        return _set_aside(signed)


def _signed_head() -> LedgerHead:
    head = newest_signed_head()
    if head is None:
        raise CannotRepairError("No head of the ledger is signed. Restore a backup.")
    try:
        fits = stored_frontier(head.size).root() == bytes(head.root)
    except SealingStoppedError as error:
        raise CannotRepairError(f"{error}. Restore a backup.") from error
    if not fits:
        raise CannotRepairError(
            f"The tree is another one than the signed head at {head.size} says. Restore a backup."
        )
    return head


def _set_aside(signed: LedgerHead) -> SetAside:
    heads = LedgerHead.objects.select_related("key").filter(size__gt=signed.size).order_by("size")
    said = [head_statement(head).data() | {"signature": bytes(head.signature).hex()} for head in heads]
    PublishedHead.objects.filter(head__size__gt=signed.size).delete()
    heads.delete()
    SealedRecords.objects.filter(leaf__gte=signed.size).delete()
    leaves, _by_model = LedgerLeaf.objects.filter(number__gte=signed.size).delete()
    LedgerNode.objects.filter(number__gte=node_count(signed.size)).delete()
    result = SetAside(said, leaves, signed.size)
    AuditEntry.objects.record(
        actor=None,
        action=Action.HEADS_SET_ASIDE,
        about=signed,
        reason=REPAIR_REASON,
        heads=said,
        leaves=leaves,
    )
    return result
