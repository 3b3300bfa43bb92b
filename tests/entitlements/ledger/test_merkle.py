"""The hash tree against naive definitions of RFC 6962 and its known vectors."""

import hashlib

import pytest

from entitlements.ledger.sealing.merkle import (
    EMPTY_ROOT,
    Frontier,
    inclusion_proof,
    leaf_hash,
    node_count,
    node_number,
    root_of_proof,
    subtrees,
)

pytestmark = pytest.mark.once

SIZES = range(1, 301)
# Certificate Transparency's own test data: the roots over the first 1 to 8 of these leaves.
KNOWN_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def leaves_of(size: int) -> list[bytes]:
    return [f"leaf {number}".encode() for number in range(size)]


def grown(leaves: list[bytes]) -> tuple[Frontier, list[bytes]]:
    """The tree with these leaves, and the hashes of all nodes by number."""
    frontier, nodes = Frontier(), []
    for data in leaves:
        nodes += frontier.append(leaf_hash(data))
    return frontier, nodes


def test_known_roots() -> None:
    for size, root in enumerate(KNOWN_ROOTS, start=1):
        assert grown(KNOWN_LEAVES[:size])[0].root().hex() == root
    assert Frontier().root() == EMPTY_ROOT == naive_root([])


@pytest.mark.parametrize("size", SIZES)
def test_root_is_the_naive_one(size: int) -> None:
    leaves = leaves_of(size)
    frontier, nodes = grown(leaves)
    assert frontier.root() == naive_root(leaves)
    assert len(nodes) == node_count(size)


@pytest.mark.slow
@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 299, 300])
def test_proofs_are_the_naive_ones_and_lead_to_the_root(size: int) -> None:
    """The stored hashes are enough; a changed leaf, place or step gives another root."""
    leaves = leaves_of(size)
    frontier, nodes = grown(leaves)
    hashes = [leaf_hash(data) for data in leaves]
    for number in range(size):
        proof = inclusion_proof(
            number, size, lambda subtree: nodes[node_number(*subtree)] if subtree[0] else hashes[subtree[1]]
        )
        assert proof == naive_path(number, leaves)
        assert root_of_proof(number, size, hashes[number], proof) == frontier.root()
        assert root_of_proof(number, size, leaf_hash(b"another"), proof) != frontier.root()
        assert root_of_proof(number, size, hashes[number], [*proof, EMPTY_ROOT]) is None
        if size > 1:
            assert root_of_proof((number + 1) % size, size, hashes[number], proof) != frontier.root()
            assert root_of_proof(number, size, hashes[number], [*proof[:-1], EMPTY_ROOT]) != frontier.root()
    assert root_of_proof(size, size, hashes[0], []) is None


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 100, 255])
def test_a_tree_goes_on_from_its_right_edge(size: int) -> None:
    """Sealing starts from the hashes of the largest complete subtrees."""
    leaves = leaves_of(size + 20)
    begun, nodes = grown(leaves[:size])
    hashes = [leaf_hash(data) for data in leaves]
    edge = [nodes[node_number(*tree)] if tree[0] else hashes[tree[1]] for tree in subtrees(0, size)]
    continued = Frontier(size, edge)
    assert continued.root() == begun.root()
    for leaf in hashes[size:]:
        continued.append(leaf)
    assert continued.root() == naive_root(leaves)


def test_a_proof_at_a_million_leaves_reads_some_twenty_hashes() -> None:
    read: list[tuple[int, int]] = []

    def hash_of(subtree: tuple[int, int]) -> bytes:
        read.append(subtree)
        return EMPTY_ROOT

    for number in (0, 1, 524_288, 999_999):
        read.clear()
        inclusion_proof(number, 1_000_000, hash_of)
        assert len(read) <= 26
