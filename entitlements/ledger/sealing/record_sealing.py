"""Sealing of records: queued rows, and rows from before the upgrade, become leaves of the tree."""

import itertools
from collections import defaultdict
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Max

from entitlements.ledger.sealing.commitments import new_salt
from entitlements.ledger.sealing.record_kinds import KINDS, RecordKind
from entitlements.ledger.sealing.records import pack_numbers, record_hash, records_leaf_hash
from entitlements.ledger.sealing.tree import GrowingTree, growing_tree
from entitlements.models import RecordBackfill, SealedRecords, UnsealedRecord

RECORD_BATCH = 5_000  # records under one head and in one transaction
RECORDS_A_LEAF = 500  # SQLite takes no longer lists of numbers


def seal_records(*, batches: int | None = None) -> int:
    """Seal queued rows, then rows that are older than the sealing of their kind, in at most so many batches.

    Returns how many rows were sealed. Raises SealingStoppedError.
    """
    sealed = 0
    for _batch in itertools.count() if batches is None else range(batches):
        count = _seal_batch()
        sealed += count
        if not count:
            break
    return sealed


@transaction.atomic(durable=True)
def _seal_batch() -> int:
    """Seal up to RECORD_BATCH records under one head; without waiting rows, write no head."""
    tree = growing_tree()
    waiting = list(_take_waiting()) or list(_take_backfill())
    sealed = [_seal(tree, KINDS[kind], subjects) for kind, subjects in waiting]
    leaves = [one for one in sealed if one]
    if leaves:
        tree.save()
        SealedRecords.objects.bulk_create(leaves)
    return sum(len(subjects) for _kind, subjects in waiting)


def _take_waiting() -> Iterator[tuple[str, list[int]]]:
    """Take the oldest rows from the queue and yield them by kind, RECORDS_A_LEAF at a time."""
    rows = list(UnsealedRecord.objects.order_by("pk").values_list("pk", "kind", "subject")[:RECORD_BATCH])
    UnsealedRecord.objects.filter(pk__in=[pk for pk, _kind, _subject in rows]).delete()
    by_kind: dict[str, list[int]] = defaultdict(list)
    for _pk, kind, subject in rows:
        by_kind[kind].append(subject)
    for kind in sorted(by_kind):
        for subjects in _pieces(by_kind[kind]):
            yield kind, subjects


def _take_backfill() -> Iterator[tuple[str, list[int]]]:
    """Yield the next rows of the first kind whose older rows are not all sealed.

    Rows since the upgrade are in the queue.
    """
    for backfill in RecordBackfill.objects.order_by("kind"):
        rows = KINDS[backfill.kind].rows
        if backfill.last is None:
            backfill.last = rows.aggregate(last=Max("pk"))["last"] or 0
        older = rows.filter(pk__gt=backfill.position, pk__lte=backfill.last).order_by("pk")
        subjects = list(older.values_list("pk", flat=True)[:RECORD_BATCH])
        if not subjects:
            backfill.delete()
            continue
        backfill.position = subjects[-1]
        backfill.save()
        for some in _pieces(subjects):
            yield backfill.kind, some
        return


def _seal(tree: GrowingTree, kind: RecordKind, subjects: list[int]) -> SealedRecords | None:
    """Return a leaf over these rows, or None where none exists any more.

    A missing row has nothing to commit to; verify_ledger reports it where it was sealed.
    """
    salt = new_salt()
    hashes = {pk: record_hash(salt, kind.name, pk, text) for pk, text in kind.records(subjects)}
    if not hashes:
        return None
    leaf = tree.add(salt=salt, hash=records_leaf_hash(kind.name, list(hashes.values())))
    return SealedRecords(
        leaf=leaf, kind=kind.name, subjects=pack_numbers(list(hashes)), hashes=b"".join(hashes.values())
    )


def _pieces(subjects: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(subjects), RECORDS_A_LEAF):
        yield subjects[start : start + RECORDS_A_LEAF]
