"""Sealing: every movement becomes one leaf of the tree, and signed heads cover all of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext

from entitlements.ledger.movements import record_movement
from entitlements.ledger.sealing import seal as sealing
from entitlements.ledger.sealing.commitments import commitment, field_salt, item_token
from entitlements.ledger.sealing.merkle import Frontier, node_count
from entitlements.ledger.sealing.seal import (
    SEALED_COLUMNS,
    seal_ledger,
    sealed_fields,
    sealing_lag,
)
from entitlements.ledger.sealing.tree import head_statement
from entitlements.ledger.signing import Domain, is_signed
from entitlements.models import LedgerHead, LedgerLeaf, LedgerNode, Movement, MovementKind, UnsealedMovement
from entitlements.tasks import seal_ledger as seal_ledger_task
from tests.factories import Cast, Chain, issue_item
from tests.roles import as_owner, refused, rotate_signing_key

pytestmark = pytest.mark.django_db


def root_over(size: int) -> bytes:
    """The root over the first leaves, from their hashes alone."""
    frontier = Frontier()
    for value in LedgerLeaf.objects.filter(number__lt=size).order_by("number").values_list("hash", flat=True):
        frontier.append(bytes(value))
    return frontier.root()


def test_every_movement_waits_for_its_leaf(chain: Chain) -> None:
    """E11: the trigger queues it, whoever writes the movement."""
    assert UnsealedMovement.objects.count() == Movement.objects.count() == 3
    assert sealing_lag().count == 3
    assert timedelta() <= sealing_lag().age < timedelta(minutes=5)


def test_sealing_gives_leaves_nodes_and_a_signed_head(cast: Cast, chain: Chain) -> None:
    """Leaf numbers are 0, 1, 2…; nothing waits afterwards, and nothing is sealed twice."""
    assert seal_ledger() == 3
    assert seal_ledger() == 0
    assert list(LedgerLeaf.objects.order_by("number").values_list("number", flat=True)) == [0, 1, 2]
    assert not UnsealedMovement.objects.exists()
    assert (sealing_lag().count, sealing_lag().age) == (0, timedelta())
    record_movement(actor=cast.installer, kind=MovementKind.SPLIT, item=chain.served, copies=1)
    seal_ledger()
    first, second = LedgerHead.objects.order_by("size")
    assert (first.size, second.size) == (3, 4)
    for head in (first, second):
        assert bytes(head.root) == root_over(head.size)
        assert is_signed(head.key, Domain.LEDGER_HEAD, head_statement(head).text(), bytes(head.signature))
    assert (bytes(first.previous), bytes(second.previous)) == (b"", head_statement(first).hash())
    assert LedgerNode.objects.count() == node_count(4) == 3


@pytest.mark.postgres
def test_numbers_are_not_the_order_of_the_movements(cast: Cast, chain: Chain) -> None:
    """A movement with a lower number that is committed later gets a later leaf."""
    seal_ledger()
    with as_owner():
        Movement.objects.create(
            pk=-7,
            kind=MovementKind.SPLIT,
            item=chain.served,
            parent=chain.installed,
            copies=1,
            actor=cast.installer,
        )
    assert seal_ledger() == 1
    assert Movement.objects.get(pk=-7).leaf.number == 3


def test_batches_give_the_same_tree(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch has its head; a limit leaves the rest for the next run."""
    monkeypatch.setattr(sealing, "SEAL_BATCH", 7)
    item = issue_item(cast)
    Movement.objects.bulk_create(
        Movement(kind=MovementKind.ADJUST, item=item, copies=1, actor=cast.mobotix) for _ in range(29)
    )
    assert seal_ledger(batches=2) == 14
    assert sealing_lag().count == 16
    assert seal_ledger() == 16
    sizes = list(LedgerHead.objects.order_by("size").values_list("size", flat=True))
    assert sizes == [7, 14, 21, 28, 30]
    assert [bytes(head.root) for head in LedgerHead.objects.order_by("size")] == [
        root_over(size) for size in sizes
    ]
    assert LedgerNode.objects.aggregate(last=Max("number"))["last"] + 1 == node_count(30)


def test_a_turn_of_the_task_ends(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade a million movements wait, and mails must not wait for all of them."""
    monkeypatch.setattr(sealing, "SEAL_BATCH", 2)
    item = issue_item(cast)
    Movement.objects.bulk_create(
        Movement(kind=MovementKind.ADJUST, item=item, copies=1, actor=cast.mobotix) for _ in range(29)
    )
    seal_ledger_task()
    assert sealing_lag().count == 10
    seal_ledger_task()
    assert sealing_lag().count == 0


@pytest.mark.slow
def test_a_batch_is_a_few_statements(cast: Cast) -> None:
    """Some 20 reads, and writes in chunks, not one for each movement."""
    item = issue_item(cast)
    seal_ledger()
    Movement.objects.bulk_create(
        Movement(kind=MovementKind.ADJUST, item=item, copies=1, actor=cast.mobotix) for _ in range(2_000)
    )
    with CaptureQueriesContext(connection) as queries:
        assert seal_ledger() == 2_000
    assert len(queries) < 50


def test_a_sealed_movement_gets_no_second_leaf(chain: Chain) -> None:
    """A movement that is queued again is skipped."""
    seal_ledger()
    with as_owner():
        UnsealedMovement.objects.create(movement_id=Movement.objects.earliest("pk").pk)
    assert seal_ledger() == 0
    message = refused(
        "INSERT INTO entitlements_ledgerleaf (number, movement_id, salt, hash)"
        " SELECT 99, movement_id, salt, hash FROM entitlements_ledgerleaf WHERE number = 0"
    )
    assert "append-only" in message or "unique" in message.lower()


def test_heads_are_signed_by_the_key_that_is_active(cast: Cast, chain: Chain) -> None:
    """L6: also after a rotation."""
    seal_ledger()
    new = rotate_signing_key()
    record_movement(actor=cast.installer, kind=MovementKind.SPLIT, item=chain.served, copies=1)
    seal_ledger()
    first, second = LedgerHead.objects.order_by("size")
    assert second.key == new != first.key


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entitlements_ledgerleaf SET salt = hash",
        "UPDATE entitlements_ledgernode SET number = 5",
        "UPDATE entitlements_ledgerhead SET root = signature",
        "DELETE FROM entitlements_ledgerleaf",
        "DELETE FROM entitlements_ledgernode",
        "DELETE FROM entitlements_ledgerhead",
    ],
)
def test_the_tree_is_append_only(chain: Chain, sql: str) -> None:
    """E11: raw SQL can change or remove no leaf, node or head."""
    seal_ledger()
    assert "append-only" in refused(sql)


@pytest.mark.parametrize("name", ["leaf", "node", "head"])
def test_no_row_takes_the_place_of_another(chain: Chain, name: str) -> None:
    """E11: SQLite's INSERT OR REPLACE is refused."""
    if connection.vendor != "sqlite":
        return  # PostgreSQL has no such statement
    seal_ledger()
    table = f"entitlements_ledger{name}"
    said = refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    assert "append-only" in said or "a head covers all leaves" in said


def test_keys_and_codes_stay(chain: Chain) -> None:
    """L6, E10: a public key cannot be deleted, nor the code of an item, which its token depends on, be changed."""
    seal_ledger()
    assert "public keys stay" in refused("DELETE FROM entitlements_signingkey")
    assert "verification code" in refused("UPDATE entitlements_lineitem SET verification_code = 'x'")


def leaf_of(item: Any) -> tuple[LedgerLeaf, tuple[Any, ...]]:
    leaf = LedgerLeaf.objects.get(movement__item=item)
    return leaf, Movement.objects.values_list(*SEALED_COLUMNS).get(pk=leaf.movement_id)


def test_a_leaf_commits_to_each_field(chain: Chain) -> None:
    """One field can be shown with its salt; the others, and the item's code, stay hidden."""
    seal_ledger()
    leaf, row = leaf_of(chain.served)
    fields = sealed_fields(row)
    salt = bytes(leaf.salt)
    assert fields.leaf_hash(salt) == bytes(leaf.hash)
    commitments = fields.commitments(salt)
    assert commitments["copies"] == commitment(field_salt(salt, "copies"), "5")
    assert fields.item == item_token(chain.served.verification_code)
    assert fields.parent == item_token(chain.installed.verification_code)
    assert chain.served.verification_code not in str(vars(fields))
    assert len(set(commitments.values())) == len(commitments) == 10


def test_salts_differ(cast: Cast) -> None:
    """The same movement twice gives two unrelated leaves."""
    item = issue_item(cast)
    for _time in range(2):
        record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=item, copies=1)
    seal_ledger()
    assert len({bytes(leaf.salt) for leaf in LedgerLeaf.objects.all()}) == 3
