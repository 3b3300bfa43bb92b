"""Verification of the sealed ledger against the movements, in one pass over the leaves in chunks of fixed size (E11).

What the newest head covers is checked. As nothing is ever removed, sealing may go on meanwhile.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Max, QuerySet

from entitlements.ledger.findings import Finding
from entitlements.ledger.sealing.anchors import Anchors, KeptHead
from entitlements.ledger.sealing.merkle import Frontier, node_count
from entitlements.ledger.sealing.record_verification import RecordsCheck
from entitlements.ledger.sealing.seal import SEALED_COLUMNS, sealed_fields
from entitlements.ledger.sealing.tree import head_statement, is_signed_head
from entitlements.models import LedgerHead, LedgerLeaf, LedgerNode, Movement, SealedRecords

LEAF_CHUNK = 2_000
# One statement, so that it sees a single moment.
ENDS = """
SELECT coalesce((SELECT max(size) FROM entitlements_ledgerhead), 0),
  coalesce((SELECT max(number) + 1 FROM entitlements_ledgerleaf), 0),
  coalesce((SELECT max(number) + 1 FROM entitlements_ledgernode), 0)
"""
LEFT_OUT = """
SELECT min(movement.id) FROM entitlements_movement movement
WHERE NOT EXISTS (SELECT 1 FROM entitlements_ledgerleaf leaf WHERE leaf.movement_id = movement.id)
  AND NOT EXISTS (SELECT 1 FROM entitlements_unsealedmovement waiting WHERE waiting.movement_id = movement.id)
"""


def seal_findings(kept: Iterable[KeptHead] = ()) -> Iterator[Finding]:
    """Yield everything that is wrong, in the order of the leaves (E11).

    Where the tree itself breaks, the rest of it is not checked. ``kept`` are heads that were kept elsewhere, with which
    the tree must begin.
    """
    size, records, anchors = _sealed_size(), RecordsCheck(), Anchors(kept)
    yield from anchors.others(size)
    whole = yield from _tree_findings(size, records, anchors)
    yield from _end_findings()
    yield from _left_out_findings()
    if whole:  # otherwise too many would seem to be left out
        yield from records.left_out(size)


def tree_findings() -> Iterator[Finding]:
    """Yield the findings that concern sealed movements."""
    yield from _tree_findings(_sealed_size(), None, Anchors(()))
    yield from _end_findings()


def _sealed_size() -> int:
    return LedgerHead.objects.aggregate(size=Max("size"))["size"] or 0


def _tree_findings(size: int, check: RecordsCheck | None, anchors: Anchors) -> Generator[Finding, None, bool]:
    """Yield what is wrong with leaves, nodes and heads; return whether the pass was complete."""
    frontier, nodes, heads = Frontier(), _nodes(node_count(size)), _heads(size)
    head, previous = next(heads, None), b""
    for leaf, row, records in _leaves(size):
        if leaf.number != frontier.size:
            break
        yield from _leaf_findings(leaf, row) if leaf.movement_id else _records_findings(leaf, records, check)
        for level, node in enumerate(frontier.append(bytes(leaf.hash)), start=1):
            if finding := _node_finding(node, next(nodes, None), frontier.size - (1 << level), leaf.number):
                yield finding
                return False
        yield from anchors.findings(frontier)
        if head and head.size == frontier.size:
            yield from _head_findings(head, frontier.root(), previous)
            previous = head_statement(head).hash()
            head = next(heads, None)
    if frontier.size < size:
        yield Finding(f"leaf {frontier.size}", f"one of the {size} that the head at {size} covers", "none")
    return frontier.size == size


Covered = tuple[LedgerLeaf, tuple[Any, ...] | None, SealedRecords | None]


def _leaves(size: int) -> Iterator[Covered]:
    """Yield each leaf with the SEALED_COLUMNS of its movement, or its records; None where they are missing."""
    for start in range(0, size, LEAF_CHUNK):
        leaves = list(_chunk(LedgerLeaf.objects.all(), start))
        movements = Movement.objects.filter(pk__in=[leaf.movement_id for leaf in leaves if leaf.movement_id])
        rows = {row[0]: row for row in movements.values_list(*SEALED_COLUMNS)}
        records = _records([leaf.number for leaf in leaves if leaf.movement_id is None])
        for leaf in leaves:
            yield leaf, rows.get(leaf.movement_id), records.get(leaf.number)


def _records(leaves: list[int]) -> dict[int, SealedRecords]:
    return SealedRecords.objects.in_bulk(leaves) if leaves else {}


def _nodes(count: int) -> Iterator[LedgerNode]:
    for start in range(0, count, LEAF_CHUNK):
        yield from _chunk(LedgerNode.objects.all(), start)


def _chunk(rows: QuerySet[Any], start: int) -> QuerySet[Any]:
    return rows.filter(pk__gte=start, pk__lt=start + LEAF_CHUNK).order_by("pk")


def _heads(size: int) -> Iterator[LedgerHead]:
    """Yield the heads up to this size, a chunk at a time."""
    after = 0
    heads = LedgerHead.objects.select_related("key").filter(size__lte=size).order_by("size")
    while chunk := list(heads.filter(size__gt=after)[:LEAF_CHUNK]):
        yield from chunk
        after = chunk[-1].size


def _records_findings(
    leaf: LedgerLeaf, records: SealedRecords | None, check: RecordsCheck | None
) -> Iterator[Finding]:
    return check.findings(leaf, records) if check else iter(())


def _leaf_findings(leaf: LedgerLeaf, row: tuple[Any, ...] | None) -> Iterator[Finding]:
    if row is None:
        yield Finding(f"leaf {leaf.number}", f"movement {leaf.movement_id}", "no such movement")
        return
    now = sealed_fields(row).leaf_hash(bytes(leaf.salt))
    if now != bytes(leaf.hash):
        yield Finding(
            f"movement {leaf.movement_id} (leaf {leaf.number})",
            f"the fields that were sealed as {bytes(leaf.hash).hex()}",
            f"{row[1]} of {row[4]} copies, which gives {now.hex()}",
        )


def _node_finding(computed: bytes, node: LedgerNode | None, first: int, last: int) -> Finding | None:
    if node and bytes(node.hash) == computed:
        return None
    found = f"{bytes(node.hash).hex()} (node {node.number})" if node else "none"
    return Finding(f"node over the leaves {first} to {last}", computed.hex(), found)


def _head_findings(head: LedgerHead, root: bytes, previous: bytes) -> Iterator[Finding]:
    entry, statement = f"head at {head.size}", head_statement(head)
    if statement.root != root:
        yield Finding(f"{entry}, root", root.hex(), statement.root.hex())
    if statement.previous != previous:
        yield Finding(f"{entry}, hash of the head before", previous.hex() or "none", statement.previous.hex())
    if not is_signed_head(head):
        yield Finding(f"{entry}, signature", f"one by the key {head.key.key_id}", bytes(head.signature).hex())


def _end_findings() -> Iterator[Finding]:
    """Yield leaves and nodes beyond the size of the newest head."""
    with connection.cursor() as cursor:
        cursor.execute(ENDS)
        size, leaves, nodes = cursor.fetchone()
    if leaves > size:
        yield Finding(f"leaf {leaves - 1}", "a head that covers it", f"the newest head at {size}")
    if nodes > node_count(size):
        yield Finding(f"node {nodes - 1}", f"no node after {node_count(size) - 1}", "one")


def _left_out_findings() -> Iterator[Finding]:
    """Yield the first movement that is neither sealed nor queued."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_OUT)
        (movement,) = cursor.fetchone()
    if movement is not None:
        yield Finding(f"movement {movement}", "a leaf, or a place in the queue for one", "neither")
