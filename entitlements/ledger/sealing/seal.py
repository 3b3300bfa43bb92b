"""Sealing of movements: they become leaves of the hash tree, and its head is signed (E11)."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from entitlements.ledger.sealing.commitments import SealedFields, item_token, new_salt, time_text
from entitlements.ledger.sealing.tree import growing_tree
from entitlements.models import LedgerLeaf, Movement, UnsealedMovement

SEAL_BATCH = 5_000  # movements under one head and in one transaction; on SQLite everybody else waits for it
# The fields of a leaf, along the movement's foreign keys. The time is the transaction's. The product's number is
# sealed, and not its part number, which MOBOTIX may correct.
SEALED_COLUMNS = (
    "pk",
    "kind",
    "item__verification_code",
    "parent__verification_code",
    "copies",
    "item__product_id",
    "activation_id",
    "actor_id",
    "reason",
    "created_at",
)


@dataclass(frozen=True)
class SealingLag:
    """How many movements wait for their leaf, and since when the oldest of them waits."""

    count: int
    oldest: datetime | None

    @property
    def age(self) -> timedelta:
        """How long the oldest movement has waited."""
        return timezone.now() - self.oldest if self.oldest else timedelta()


def sealing_lag() -> SealingLag:
    """Return how far the tree is behind the ledger."""
    waiting = UnsealedMovement.objects.order_by("pk")
    return SealingLag(waiting.count(), waiting.values_list("movement__created_at", flat=True).first())


def seal_ledger(*, batches: int | None = None) -> int:
    """Seal waiting movements in at most so many batches, and return how many were sealed.

    Where two processes seal at once, one waits for the other's batch. Raises SealingStoppedError.
    """
    sealed = 0
    for _batch in itertools.count() if batches is None else range(batches):
        count = _seal_batch()
        sealed += count
        if count < SEAL_BATCH:
            break
    return sealed


def sealed_fields(row: tuple[Any, ...]) -> SealedFields:
    """Return the fields of a leaf from the values of SEALED_COLUMNS."""
    pk, kind, item, parent, copies, product, activation, actor, reason, created_at = row
    return SealedFields(
        movement=str(pk),
        kind=kind,
        item=item_token(item),
        parent=item_token(parent),
        copies=str(copies),
        product=str(product),
        activation=str(activation or ""),
        actor=str(actor or ""),
        reason=reason,
        time=time_text(created_at),
    )


@transaction.atomic(durable=True)
def _seal_batch() -> int:
    """Seal up to SEAL_BATCH waiting movements under one head."""
    tree = growing_tree()
    taken = list(UnsealedMovement.objects.order_by("pk").values_list("pk", flat=True)[:SEAL_BATCH])
    rows = _rows(taken)
    UnsealedMovement.objects.filter(pk__in=taken).delete()
    for row in rows:
        salt = new_salt()
        tree.add(salt=salt, hash=sealed_fields(row).leaf_hash(salt), movement=row[0])
    if rows:
        tree.save()
    return len(rows)


def _rows(movements: list[int]) -> list[tuple[Any, ...]]:
    """Return the SEALED_COLUMNS of the movements that have no leaf yet, whatever the queue says.

    By primary keys: a join of queue, leaves and movements reads all of each where PostgreSQL estimates their sizes
    wrong.
    """
    sealed = LedgerLeaf.objects.filter(movement__in=movements).values_list("movement", flat=True)
    unsealed = set(movements).difference(sealed)
    return list(Movement.objects.filter(pk__in=unsealed).order_by("pk").values_list(*SEALED_COLUMNS))
