"""Movements become leaves of the hash tree, and its head is signed."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from entitlements.ledger.sealing.commitments import SealedFields, item_token, new_salt, time_text
from entitlements.ledger.sealing.tree import growing_tree
from entitlements.models import LedgerLeaf, Movement, UnsealedMovement

BATCH = 5_000  # movements under one head and in one transaction, which on SQLite keeps everybody else waiting
# What a leaf is about, along the movement's foreign keys. The time is the transaction's, and the product's number is
# sealed and not its part number, which MOBOTIX may correct.
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
    """What waits for its leaf: how many movements, and since when the oldest of them."""

    count: int
    oldest: datetime | None

    @property
    def age(self) -> timedelta:
        """Of the oldest."""
        return timezone.now() - self.oldest if self.oldest else timedelta()


def sealing_lag() -> SealingLag:
    """How far the tree is behind the ledger."""
    waiting = UnsealedMovement.objects.order_by("pk")
    return SealingLag(waiting.count(), waiting.values_list("movement__created_at", flat=True).first())


def seal_ledger(*, batches: int | None = None) -> int:
    """Seal what waits, at most so many batches of it. Returns how many movements were sealed.

    Where two seal at once, one waits for the other's batch. Raises SealingStoppedError.
    """
    sealed = 0
    for _batch in itertools.count() if batches is None else range(batches):
        count = _seal_batch()
        sealed += count
        if count < BATCH:
            break
    return sealed


def sealed_fields(row: tuple[Any, ...]) -> SealedFields:
    """From the values of SEALED_COLUMNS."""
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
    """One head over what waits now, up to BATCH movements."""
    tree = growing_tree()
    taken = list(UnsealedMovement.objects.order_by("pk").values_list("pk", flat=True)[:BATCH])
    rows = _rows(taken)
    UnsealedMovement.objects.filter(pk__in=taken).delete()
    for row in rows:
        salt = new_salt()
        tree.add(salt=salt, hash=sealed_fields(row).leaf_hash(salt), movement=row[0])
    if rows:
        tree.save()
    return len(rows)


def _rows(movements: list[int]) -> list[tuple[Any, ...]]:
    """The SEALED_COLUMNS of those that have no leaf yet, whatever the queue says.

    By primary keys: a join of queue, leaves and movements takes all of each where PostgreSQL guesses their sizes wrong.
    """
    sealed = LedgerLeaf.objects.filter(movement__in=movements).values_list("movement", flat=True)
    unsealed = set(movements).difference(sealed)
    return list(Movement.objects.filter(pk__in=unsealed).order_by("pk").values_list(*SEALED_COLUMNS))
