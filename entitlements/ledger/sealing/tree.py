"""The stored hash tree: reading it, checking its end, and adding leaves under a new signed head."""

from dataclasses import dataclass, field

from django.utils import timezone

from entitlements.ledger.sealing.heads import HeadStatement
from entitlements.ledger.sealing.merkle import Frontier, Subtree, node_count, node_number, subtrees
from entitlements.ledger.signing import Domain, is_signed, lock_keys, sign
from entitlements.models import LedgerHead, LedgerLeaf, LedgerNode, SigningKey

INSERT_ROWS = 1_000  # in one statement


class SealingStoppedError(Exception):
    """The stored tree does not end in a head that the portal signed, so nothing is built on it; the text says why."""


@dataclass
class GrowingTree:
    """Leaves that are added in one transaction, under the lock of the keys."""

    key: SigningKey
    frontier: Frontier
    previous: bytes
    leaves: list[LedgerLeaf] = field(default_factory=list)
    nodes: list[LedgerNode] = field(default_factory=list)

    def add(self, *, salt: bytes, hash: bytes, movement: int | None = None) -> LedgerLeaf:
        """Add one leaf at the end and return it."""
        next_node = node_count(self.frontier.size)
        leaf = LedgerLeaf(number=self.frontier.size, movement_id=movement, salt=salt, hash=hash)
        self.leaves.append(leaf)
        for number, node in enumerate(self.frontier.append(hash), start=next_node):
            self.nodes.append(LedgerNode(number=number, hash=node))
        return leaf

    def save(self) -> None:
        """Write the leaves, the nodes that they complete, and the signed head."""
        LedgerLeaf.objects.bulk_create(self.leaves, batch_size=INSERT_ROWS)
        LedgerNode.objects.bulk_create(self.nodes, batch_size=INSERT_ROWS)
        size, root = self.frontier.size, self.frontier.root()
        statement = HeadStatement(size, root, timezone.now(), self.previous, self.key.key_id)
        LedgerHead.objects.create(
            size=size,
            root=root,
            sealed_at=statement.sealed_at,
            previous=self.previous,
            key=self.key,
            signature=sign(self.key, Domain.LEDGER_HEAD, statement.text()),
        )


def growing_tree() -> GrowingTree:
    """Return the tree within the caller's transaction, locked against other processes that seal.

    Raises SealingStoppedError.
    """
    key = lock_keys()
    last = newest_head()
    frontier = stored_frontier(last.size if last else 0)
    if problem := _problem(last, frontier):
        raise SealingStoppedError(problem)
    return GrowingTree(key, frontier, head_statement(last).hash() if last else b"")


def tree_problem() -> str:
    """Return a sentence that says why nothing can be added to the tree; "" where it can."""
    try:
        last = newest_head()
        return _problem(last, stored_frontier(last.size if last else 0))
    except SealingStoppedError as error:
        return str(error)


def newest_head() -> LedgerHead | None:
    """Return the head that covers the most leaves."""
    return LedgerHead.objects.select_related("key").order_by("size").last()


def newest_signed_head() -> LedgerHead | None:
    """Return the newest head with a valid signature of its key, whatever was added after it."""
    heads = LedgerHead.objects.select_related("key").order_by("-size")
    return next((head for head in heads.iterator(1) if is_signed_head(head)), None)


def is_signed_head(head: LedgerHead) -> bool:
    """Return whether the key that the head names signed its statement."""
    return is_signed(head.key, Domain.LEDGER_HEAD, head_statement(head).text(), bytes(head.signature))


def head_statement(head: LedgerHead) -> HeadStatement:
    """Return the statement of a stored head."""
    return HeadStatement(head.size, bytes(head.root), head.sealed_at, bytes(head.previous), head.key.key_id)


def hashes_of(wanted: list[Subtree]) -> dict[Subtree, bytes]:
    """Return the stored hashes of complete subtrees, in two queries.

    Raises KeyError where one is missing.
    """
    leaves = LedgerLeaf.objects.filter(pk__in=[index for level, index in wanted if not level])
    nodes = LedgerNode.objects.filter(pk__in=[node_number(*subtree) for subtree in wanted if subtree[0]])
    leaf_hashes = dict(leaves.values_list("pk", "hash"))
    node_hashes = dict(nodes.values_list("pk", "hash"))
    return {
        (level, index): bytes(node_hashes[node_number(level, index)] if level else leaf_hashes[index])
        for level, index in wanted
    }


def stored_frontier(size: int) -> Frontier:
    """Return the right edge of the stored tree.

    Raises SealingStoppedError where a part of it is missing.
    """
    edge = subtrees(0, size)
    try:
        hashes = hashes_of(edge)
    except KeyError as error:
        raise SealingStoppedError(f"leaves or nodes that the head at {size} covers are missing") from error
    return Frontier(size, [hashes[subtree] for subtree in edge])


def _problem(last: LedgerHead | None, frontier: Frontier) -> str:
    """Return a sentence where the newest head is unsigned, has another root, or does not cover the tree; "" if none."""
    if LedgerLeaf.objects.filter(pk__gte=frontier.size).exists():
        return f"there are leaves after the {frontier.size} that the newest head covers"
    if last is None:
        return ""
    if bytes(last.root) != frontier.root():
        return f"the newest head, at {last.size}, has another root than the tree"
    if not is_signed_head(last):
        return f"the newest head, at {last.size}, is not signed by the key {last.key.key_id}"
    return ""
