"""The hash tree of RFC 6962 (section 2.1) over an append-only list of leaves.

A subtree is (level, index): it covers 2^level leaves from leaf index · 2^level on; level 0 are the leaves. The hashes
of complete subtrees are kept, because they never change. Any root and any proof consist of some 20 of them.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import reduce

Subtree = tuple[int, int]
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf, which no node can have."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two halves."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def node_number(level: int, index: int) -> int:
    """Return the number of a complete subtree of level 1 or higher.

    Numbers are 0, 1, 2… in the order in which leaves complete the subtrees.
    """
    last_leaf = ((index + 1) << level) - 1
    return node_count(last_leaf) + level - 1


def node_count(size: int) -> int:
    """Return how many complete subtrees of level 1 and higher exist over so many leaves."""
    return size - size.bit_count()


def subtrees(start: int, stop: int) -> list[Subtree]:
    """Return the largest complete subtrees that together cover the leaves, from left to right.

    The leaves are those from ``start`` up to ``stop``. ``start`` is 0, or a place where a complete subtree of ``stop -
    start`` leaves can begin, as all halves in the RFC's splits are.
    """
    found = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Iterable[bytes]) -> bytes:
    """Return the hash over the leaves that ``subtrees`` named, from the hashes of these subtrees."""
    parts = list(hashes)
    return reduce(lambda right, left: node_hash(left, right), reversed(parts)) if parts else EMPTY_ROOT


def proof_ranges(number: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose hashes lead from leaf ``number`` up to the root (PATH of RFC 6962)."""
    start, stop, ranges = 0, size, []
    while stop - start > 1:
        middle = start + (1 << ((stop - start - 1).bit_length() - 1))
        if number < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def inclusion_proof(number: int, size: int, hash_of: Callable[[Subtree], bytes]) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root of the tree over ``size`` leaves."""
    return [fold(map(hash_of, subtrees(*leaves))) for leaves in proof_ranges(number, size)]


def root_of_proof(number: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes | None:
    """Return the root that a proof leads to (RFC 9162, 2.1.3.2), or None where it is no proof for that place."""
    if not 0 <= number < size or len(proof) != len(proof_ranges(number, size)):
        return None
    root = leaf
    for (start, _stop), sibling in zip(proof_ranges(number, size), proof, strict=True):
        root = node_hash(sibling, root) if start < number else node_hash(root, sibling)
    return root


class Frontier:
    """The right edge of a growing tree, which is all that is needed to add leaves and to compute the root."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Take the hashes of ``subtrees(0, size)``."""
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf's hash and return the hashes of the subtrees that it completes, by number."""
        completed = []
        size = self.size
        while size & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            completed.append(leaf)
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        return fold(self.hashes)
