"""Movements become leaves of the hash tree, and its head is signed."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from entitlements.models import LedgerHead, LedgerLeaf, LedgerNode, Movement, UnsealedMovement
from entitlements.sealing.commitments import SealedFields, item_token, new_salt, time_text
from entitlements.sealing.heads import HeadStatement
from entitlements.sealing.merkle import Frontier, Subtree, node_count, node_number, subtrees
from entitlements.services.signing import Domain, lock_keys, sign

BATCH = 5_000  # movements under one head and in one transaction, which on SQLite keeps everybody else waiting
ROWS = 1_000  # in one INSERT
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

    Where two seal at once, one waits for the other's batch.
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


def head_statement(head: LedgerHead) -> HeadStatement:
    """What a stored head says."""
    return HeadStatement(head.size, bytes(head.root), head.sealed_at, bytes(head.previous), head.key.key_id)


def hashes_of(wanted: list[Subtree]) -> dict[Subtree, bytes]:
    """The stored hashes of complete subtrees, in two queries."""
    leaves = LedgerLeaf.objects.filter(pk__in=[index for level, index in wanted if not level])
    nodes = LedgerNode.objects.filter(pk__in=[node_number(*subtree) for subtree in wanted if subtree[0]])
    leaf_hashes = dict(leaves.values_list("pk", "hash"))
    node_hashes = dict(nodes.values_list("pk", "hash"))
    return {
        (level, index): bytes(node_hashes[node_number(level, index)] if level else leaf_hashes[index])
        for level, index in wanted
    }


@transaction.atomic(durable=True)
def _seal_batch() -> int:
    """One head over what waits now, up to BATCH movements."""
    key = lock_keys()
    taken = list(UnsealedMovement.objects.order_by("pk").values_list("pk", flat=True)[:BATCH])
    rows = _rows(taken)
    UnsealedMovement.objects.filter(pk__in=taken).delete()
    if not rows:
        return 0
    last = LedgerHead.objects.select_related("key").order_by("size").last()
    frontier = _frontier(last.size if last else 0)
    _write_leaves(rows, frontier)
    previous = head_statement(last).hash() if last else b""
    statement = HeadStatement(frontier.size, frontier.root(), timezone.now(), previous, key.key_id)
    LedgerHead.objects.create(
        size=statement.size,
        root=statement.root,
        sealed_at=statement.sealed_at,
        previous=previous,
        key=key,
        signature=sign(key, Domain.LEDGER_HEAD, statement.text()),
    )
    return len(rows)


def _rows(movements: list[int]) -> list[tuple[Any, ...]]:
    """The SEALED_COLUMNS of those that have no leaf yet, whatever the queue says.

    By primary keys: a join of queue, leaves and movements takes all of each where PostgreSQL guesses their sizes wrong.
    """
    sealed = LedgerLeaf.objects.filter(movement__in=movements).values_list("movement", flat=True)
    unsealed = set(movements).difference(sealed)
    return list(Movement.objects.filter(pk__in=unsealed).order_by("pk").values_list(*SEALED_COLUMNS))


def _frontier(size: int) -> Frontier:
    """The right edge of the stored tree."""
    edge = subtrees(0, size)
    hashes = hashes_of(edge)
    return Frontier(size, [hashes[subtree] for subtree in edge])


def _write_leaves(rows: list[tuple[Any, ...]], frontier: Frontier) -> None:
    """Leaves for these movements, and the nodes that they complete."""
    leaves, nodes = [], []
    next_node = node_count(frontier.size)
    for row in rows:
        salt = new_salt()
        leaf = sealed_fields(row).leaf_hash(salt)
        leaves.append(LedgerLeaf(number=frontier.size, movement_id=row[0], salt=salt, hash=leaf))
        for node in frontier.append(leaf):
            nodes.append(LedgerNode(number=next_node, hash=node))
            next_node += 1
    LedgerLeaf.objects.bulk_create(leaves, batch_size=ROWS)
    LedgerNode.objects.bulk_create(nodes, batch_size=ROWS)
