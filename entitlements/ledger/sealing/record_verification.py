"""Verification of sealed records against their rows (E11)."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from entitlements.ledger.findings import Finding
from entitlements.ledger.sealing.record_kinds import KINDS, RecordKind
from entitlements.ledger.sealing.records import record_hash, records_leaf_hash, unpack_hashes, unpack_numbers
from entitlements.models import LedgerLeaf, RecordBackfill, SealedRecords, UnsealedRecord

MAX_LEFT_OUT = 100  # rows that are checked further where they seem to be left out
PAGE_BITS = 13  # bits of a number within a page of the set
READ_CHUNK = 2_000  # rows at a time


class Numbers:
    """A set of row numbers, at one bit each."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = defaultdict(lambda: bytearray(1 << (PAGE_BITS - 3)))

    def add(self, numbers: Iterable[int]) -> None:
        """Add these numbers."""
        for number in numbers:
            self._pages[number >> PAGE_BITS][(number & (1 << PAGE_BITS) - 1) >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        page = self._pages.get(number >> PAGE_BITS)
        return page is not None and bool(page[(number & (1 << PAGE_BITS) - 1) >> 3] & 1 << (number & 7))


class RecordsCheck:
    """A check that accompanies a pass over the leaves, and knows afterwards which rows are sealed."""

    def __init__(self) -> None:
        self._seen: dict[str, Numbers] = defaultdict(Numbers)
        backfills = RecordBackfill.objects.values_list("kind", "position", "last")
        self._to_come = {kind: (position, last) for kind, position, last in backfills}

    def see_all(self) -> None:
        """Read which rows are sealed without a pass over the leaves."""
        for kind, subjects in SealedRecords.objects.values_list("kind", "subjects").iterator(READ_CHUNK):
            self._seen[kind].add(unpack_numbers(bytes(subjects)))

    def findings(self, leaf: LedgerLeaf, records: SealedRecords | None) -> Iterator[Finding]:
        """Yield what is wrong under one leaf."""
        if records is None or records.kind not in KINDS:
            yield Finding(f"leaf {leaf.number}", "a movement or records", "neither")
            return
        kind, hashes = KINDS[records.kind], unpack_hashes(bytes(records.hashes))
        subjects = unpack_numbers(bytes(records.subjects))
        if len(subjects) != len(hashes) or records_leaf_hash(kind.name, hashes) != bytes(leaf.hash):
            yield Finding(f"leaf {leaf.number}", f"records that give {bytes(leaf.hash).hex()}", "others")
            return
        self._seen[kind.name].add(subjects)
        yield from self._differences(leaf, kind, dict(zip(subjects, hashes, strict=True)))

    def _differences(self, leaf: LedgerLeaf, kind: RecordKind, sealed: dict[int, bytes]) -> Iterator[Finding]:
        salt, now = bytes(leaf.salt), dict(kind.records(sealed))
        for subject, expected in sealed.items():
            entry = f"{kind.noun} {subject} (leaf {leaf.number})"
            if subject not in now:
                yield Finding(entry, "the row that was sealed", f"no such {kind.noun}")
            elif record_hash(salt, kind.name, subject, now[subject]) != expected:
                yield Finding(entry, f"what was sealed as {expected.hex()}", now[subject].decode()[:500])

    def left_out(self, size: int) -> Iterator[Finding]:
        """Yield rows that are neither sealed nor queued; ``size`` is the number of leaves in the pass."""
        for kind in KINDS.values():
            unseen = list(itertools.islice(self._unseen(kind), MAX_LEFT_OUT))
            # In this order, because a row that is sealed meanwhile moves from the queue to the leaves.
            waiting = UnsealedRecord.objects.filter(kind=kind.name, subject__in=unseen)
            unseen = sorted(set(unseen).difference(waiting.values_list("subject", flat=True)))
            if unseen:
                for records in SealedRecords.objects.filter(kind=kind.name, leaf__gte=size):
                    self._seen[kind.name].add(unpack_numbers(bytes(records.subjects)))
            for subject in unseen:
                if subject not in self._seen[kind.name]:
                    yield Finding(
                        f"{kind.noun} {subject}", "a leaf, or a place in the queue for one", "neither"
                    )

    def unqueued(self) -> Iterator[UnsealedRecord]:
        """Yield places in the queue for all rows that are left out, while nobody else writes."""
        for kind in KINDS.values():
            for pk in self._unseen(kind):
                yield UnsealedRecord(kind=kind.name, subject=pk)

    def _unseen(self, kind: RecordKind) -> Iterator[int]:
        """Yield rows that are under no leaf, not queued, and not part of the backfill."""
        position, last = self._to_come.get(kind.name, (0, 0))
        seen, queued = self._seen[kind.name], Numbers()
        queued.add(
            UnsealedRecord.objects.filter(kind=kind.name)
            .values_list("subject", flat=True)
            .iterator(READ_CHUNK)
        )
        for pk in kind.rows.order_by("pk").values_list("pk", flat=True).iterator(READ_CHUNK):
            in_backfill = pk > position and (last is None or pk <= last)
            if pk not in seen and pk not in queued and not in_backfill:
                yield pk
