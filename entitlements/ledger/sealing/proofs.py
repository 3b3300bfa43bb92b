"""Proofs that copies of a line item descend from an issue of MOBOTIX, which show nothing about other items."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import InternalError, OperationalError
from django.db.models import Q

from entitlements.ledger.sealing.disclosure import disclose
from entitlements.ledger.sealing.merkle import Subtree, inclusion_proof, proof_ranges, subtrees
from entitlements.ledger.sealing.seal import SEALED_COLUMNS, seal_ledger, sealed_fields
from entitlements.ledger.sealing.tree import (
    SealingStoppedError,
    hashes_of,
    head_statement,
    newest_signed_head,
)
from entitlements.models import LedgerHead, LineItem, Movement, MovementKind

logger = logging.getLogger(__name__)

BEGINS = (MovementKind.ISSUE, MovementKind.SPLIT)  # kinds that create an item
# the kinds that raise or lower an item's quantity (E15)
RAISES = (*BEGINS, MovementKind.ADJUST)
LOWERS = (MovementKind.UNDO, MovementKind.REVOKE)
SHOWN_OF_CHAIN = ("kind", "item", "parent", "product")
SHOWN_OF_OWN = (*SHOWN_OF_CHAIN, "copies")


@dataclass(frozen=True)
class Evidence:
    """The signed head, and for each item, by number, the movements from MOBOTIX's issue to its present quantity.

    A movement that has no leaf yet is shown without a proof.
    """

    head: dict[str, str | int]
    movements: dict[int, list[dict[str, Any]]]


@dataclass(frozen=True)
class _Step:
    """A movement to show, with its place in the tree."""

    row: tuple[Any, ...]
    item_id: int
    leaf: int | None
    salt: bytes | None


def evidence_for(items: list[LineItem]) -> Evidence:
    """Return the evidence for the items of a certificate.

    Seals a batch first where their movements are newer than the newest head. While the database takes no writes, such
    movements are shown without a proof.
    """
    chains = _chains(items)
    steps = _steps(items, chains)
    if any(step.leaf is None for step in steps):
        _seal_if_possible()
        steps = _steps(items, chains)
    head = newest_signed_head()
    size = head.size if head else 0
    hashes = hashes_of(_wanted(steps, size))
    own = {item.pk for item in items}
    entries = {id(step): _entry(step, step.item_id in own, size, hashes) for step in steps}
    movements = {
        item.pk: [entries[id(step)] for owner in chains[item.pk] for step in steps if step.item_id == owner]
        for item in items
    }
    return Evidence(_signed(head) if head else {}, movements)


def _seal_if_possible() -> None:
    try:
        seal_ledger(batches=1)
    except (
        OperationalError,
        InternalError,
        SealingStoppedError,
    ) as error:  # PostgreSQL calls a read-only transaction an InternalError
        logger.warning("A certificate shows movements that are not sealed yet: %s", type(error).__name__)


def _chains(items: list[LineItem]) -> dict[int, list[int]]:
    """Return for each item the numbers of the items that it descends from, the issued one first and itself last."""
    parents = {item.pk: item.parent_id for item in items}
    while missing := {pk for pk in parents.values() if pk is not None} - parents.keys():
        parents |= dict(LineItem.objects.filter(pk__in=missing).values_list("pk", "parent_id"))
    return {item.pk: _upwards(item.pk, parents)[::-1] for item in items}


def _upwards(pk: int | None, parents: dict[int, int | None]) -> list[int]:
    chain = []
    while pk is not None:
        chain.append(pk)
        pk = parents[pk]
    return chain


def _steps(items: list[LineItem], chains: dict[int, list[int]]) -> list[_Step]:
    """Return the movements that created the items of the chains, and those that changed the items' own quantities.

    The latter up to the state in which the items were read.
    """
    positions = {item.pk: item.ledger_position for item in items}
    above = {pk for chain in chains.values() for pk in chain} - positions.keys()
    wanted = Q(item__in=above, kind__in=BEGINS) | Q(item__in=positions, kind__in=RAISES + LOWERS)
    rows = Movement.objects.filter(wanted).order_by("pk")
    steps = [
        _Step(row, item_id, leaf, salt and bytes(salt))
        for *row, item_id, leaf, salt in rows.values_list(
            *SEALED_COLUMNS, "item_id", "leaf__number", "leaf__salt"
        )
    ]
    return [step for step in steps if step.row[0] <= positions.get(step.item_id, step.row[0])]


def _wanted(steps: Iterable[_Step], size: int) -> list[Subtree]:
    """Return the subtrees whose stored hashes the proofs need."""
    numbers = {step.leaf for step in steps if step.leaf is not None and step.leaf < size}
    ranges = {leaves for number in numbers for leaves in proof_ranges(number, size)}
    return [subtree for leaves in ranges for subtree in subtrees(*leaves)]


def _entry(step: _Step, is_own: bool, size: int, hashes: dict[Subtree, bytes]) -> dict[str, Any]:
    fields, names = sealed_fields(step.row), SHOWN_OF_OWN if is_own else SHOWN_OF_CHAIN
    if step.leaf is None or step.salt is None or step.leaf >= size:
        return {"shown": {name: {"value": getattr(fields, name)} for name in names}, "state": "waiting"}
    proof = inclusion_proof(step.leaf, size, hashes.__getitem__)
    return disclose(fields, step.salt, names) | {
        "leaf": step.leaf,
        "proof": [step.hex() for step in proof],
        "state": "sealed",
    }


def _signed(head: LedgerHead) -> dict[str, str | int]:
    return head_statement(head).data() | {"signature": bytes(head.signature).hex()}
