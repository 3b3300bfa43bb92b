"""The hash tree of RFC 6962 (section 2.1) over leaves that are only ever added.

A subtree is (level, index): it covers the leaves from index · 2^level on, 2^level of them; level 0 are the leaves. What
is kept are the hashes of complete subtrees, which never change. Any root and any proof is put together from some 20.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import reduce

Subtree = tuple[int, int]
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf, which no node can have."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two halves."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def node_number(level: int, index: int) -> int:
    """Numbers 0, 1, 2… for the complete subtrees of level 1 and up, in the order in which leaves complete them."""
    last_leaf = ((index + 1) << level) - 1
    return node_count(last_leaf) + level - 1


def node_count(size: int) -> int:
    """How many complete subtrees of level 1 and up there are over so many leaves."""
    return size - size.bit_count()


def subtrees(start: int, stop: int) -> list[Subtree]:
    """The largest complete subtrees that together cover these leaves, from left to right.

    ``start`` is 0 or where such a subtree of ``stop - start`` leaves can begin, as all halves in the RFC's splits do.
    """
    found = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Iterable[bytes]) -> bytes:
    """The hash over the leaves that ``subtrees`` named, from the hashes of these."""
    parts = list(hashes)
    return reduce(lambda right, left: node_hash(left, right), reversed(parts)) if parts else EMPTY_ROOT


def proof_ranges(number: int, size: int) -> list[tuple[int, int]]:
    """PATH of RFC 6962: the ranges of leaves whose hashes lead from leaf ``number`` to the root, leaf upwards."""
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
    """The hashes that lead from a leaf to the root of the tree over ``size`` leaves."""
    return [fold(map(hash_of, subtrees(*leaves))) for leaves in proof_ranges(number, size)]


def root_of_proof(number: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162, 2.1.3.2); None where it is no proof for that place."""
    if not 0 <= number < size or len(proof) != len(proof_ranges(number, size)):
        return None
    root = leaf
    for (start, _stop), sibling in zip(proof_ranges(number, size), proof, strict=True):
        root = node_hash(sibling, root) if start < number else node_hash(root, sibling)
    return root


class Frontier:
    """The right edge of a growing tree: what is needed to add leaves and to know the root."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """``hashes`` are those of ``subtrees(0, size)``."""
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf's hash. Returns the hashes of the subtrees that it completes, by number."""
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
        """The root over all leaves so far."""
        return fold(self.hashes)
