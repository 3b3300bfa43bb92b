"""`manage.py verify_ledger` finds and names everything that was changed without the triggers (E11)."""

import io
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F

from entitlements.ledger.movements import record_device_movement, record_movement
from entitlements.ledger.sealing import seal as sealing
from entitlements.ledger.sealing import verification as seal_verification
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.sealing.verification import seal_findings
from entitlements.ledger.triggers import drop
from entitlements.models import (
    LedgerHead,
    LedgerLeaf,
    LedgerNode,
    LineItem,
    Movement,
    MovementKind,
    SigningKey,
    UnsealedMovement,
)
from tests.factories import Cast, Chain, issue_item, make_activation, make_chain
from tests.roles import as_owner, rotate_signing_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Chain:
    """The chain's three movements and nine more, under heads at 3, 8 and 12 by two keys; read in chunks of 4."""
    monkeypatch.setattr(seal_verification, "LEAF_CHUNK", 4)
    chain = make_chain(cast)
    seal_ledger()
    rotate_signing_key()
    for count in (5, 4):
        for _time in range(count):
            record_movement(actor=cast.distributor, kind=MovementKind.SPLIT, item=chain.installed, copies=1)
        seal_ledger()
    return chain


@contextmanager
def tampered() -> Iterator[None]:
    """Run the block as the owner and without triggers, and take its changes back afterwards."""
    with as_owner(), transaction.atomic():
        drop(connection)
        yield
        transaction.set_rollback(True)


def first_finding() -> str:
    """The first finding of the command, which must end with an error."""
    error = io.StringIO()
    with pytest.raises(CommandError, match="does not verify"):
        call_command("verify_ledger", stderr=error)
    return error.getvalue().splitlines()[0]


def all_findings() -> str:
    return "\n".join(map(str, seal_findings()))


def test_a_sound_ledger_verifies(cast: Cast, chain: Chain) -> None:
    """E11: movements that are not sealed yet are a count, no error."""
    output = io.StringIO()
    call_command("verify_ledger", stdout=output)
    assert "The ledger verifies" in output.getvalue()
    assert "Not sealed yet" not in output.getvalue()
    record_movement(actor=cast.distributor, kind=MovementKind.SPLIT, item=chain.installed, copies=1)
    call_command("verify_ledger", stdout=output)
    assert "Not sealed yet: 1." in output.getvalue()


def test_an_empty_ledger_verifies() -> None:
    assert list(seal_findings()) == []


def test_a_balance(chain: Chain) -> None:
    """E11: the finding has the item, the stored balance, and the one that the movements give."""
    with tampered():
        LineItem.objects.filter(pk=chain.served.pk).update(quantity=6, available=6)
        assert first_finding() == (
            f"line item {chain.served.pk}: quantity is 6, the movements say 5; available is 6, the movements say 5"
        )


def test_a_movement_and_its_balances_with_it(chain: Chain) -> None:
    """E11: matching balances do not hide a changed movement."""
    movement = Movement.objects.get(item=chain.served)
    with tampered():
        Movement.objects.filter(pk=movement.pk).update(copies=6)
        LineItem.objects.filter(pk=chain.served.pk).update(quantity=6, available=6)
        LineItem.objects.filter(pk=chain.installed.pk).update(
            available=F("available") - 1, split=F("split") + 1
        )
        assert first_finding().startswith(
            f"movement {movement.pk} (leaf 2): expected the fields that were sealed"
        )
        assert "split of 6 copies" in first_finding()


@pytest.mark.parametrize("column", ["reason", "actor_id", "created_at"])
def test_what_else_a_movement_says(cast: Cast, chain: Chain, column: str) -> None:
    """E11: actor, time and reason are sealed as well."""
    movement = Movement.objects.get(item=chain.served)
    values = {"reason": "x", "actor_id": cast.mobotix.pk, "created_at": chain.issued.created_at}
    with tampered():
        Movement.objects.filter(pk=movement.pk).update(**{column: values[column]})
        assert first_finding().startswith(f"movement {movement.pk} (leaf 2)")


def test_a_movement_of_another_device(cast: Cast, chain: Chain) -> None:
    """L2: the device is sealed as well, and that a bearer activated."""
    one, other = make_activation(chain.served), make_activation(chain.served)
    movement = record_device_movement(actor=None, kind=MovementKind.ACTIVATE, activation=one, copies=2)
    seal_ledger()
    for change in ({"activation_id": other.pk}, {"actor_id": cast.installer.pk}):
        with tampered():
            Movement.objects.filter(pk=movement.pk).update(**change)
            assert f"movement {movement.pk} (leaf 12)" in all_findings()


def test_a_removed_movement(chain: Chain) -> None:
    """E11: its leaf stays, and names it."""
    movement = Movement.objects.get(item=chain.served)
    with tampered():
        delete("entitlements_movement", "id", movement.pk)
        LineItem.objects.filter(pk=chain.served.pk).update(quantity=0, available=0)
        LineItem.objects.filter(pk=chain.installed.pk).update(available=F("available") + 5, split=0)
        assert first_finding() == f"leaf 2: expected movement {movement.pk}, found no such movement"


def delete(table: str, key: str, value: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {key} = %s", [value])


@pytest.mark.parametrize("number", [0, 5, 11])
@pytest.mark.parametrize("column", ["salt", "hash"])
def test_a_leaf(chain: Chain, number: int, column: str) -> None:
    movement = LedgerLeaf.objects.get(pk=number).movement_id
    with tampered():
        LedgerLeaf.objects.filter(pk=number).update(**{column: bytes(32)})
        assert first_finding().startswith(f"movement {movement} (leaf {number})")


@pytest.mark.parametrize("number", [0, 4, 10])
def test_a_removed_leaf(chain: Chain, number: int) -> None:
    with tampered():
        delete("entitlements_ledgerleaf", "number", number)
        assert first_finding().startswith(f"leaf {number}: expected one of the 12")


def test_a_removed_leaf_at_the_end(chain: Chain) -> None:
    """E11: the head still covers it; if the head is removed as well, the movement has no place."""
    movement = LedgerLeaf.objects.get(pk=11).movement_id
    with tampered():
        delete("entitlements_ledgerleaf", "number", 11)
        assert first_finding().startswith(
            "leaf 11: expected one of the 12 that the head at 12 covers, found none"
        )
        delete("entitlements_ledgerhead", "size", 12)
        assert first_finding() == "leaf 10: expected a head that covers it, found the newest head at 8"
        for number in range(7, 10):
            delete("entitlements_ledgernode", "number", number)
        for number in range(8, 11):
            delete("entitlements_ledgerleaf", "number", number)
        assert first_finding().startswith(
            f"movement {movement - 3}: expected a leaf, or a place in the queue"
        )


@pytest.mark.parametrize(("one", "other", "leaves"), [(1, 2, "0 to 1"), (4, 5, "4 to 5"), (3, 11, "2 to 3")])
def test_swapped_leaves(chain: Chain, one: int, other: int, leaves: str) -> None:
    """E11: each leaf is unchanged, but the tree is another one."""
    with tampered():
        for number, place in ((one, -1), (other, one), (-1, other)):
            LedgerLeaf.objects.filter(number=number).update(number=place)
        assert first_finding().startswith(f"node over the leaves {leaves}: expected ")


@pytest.mark.parametrize(("number", "leaves"), [(0, "0 to 1"), (2, "0 to 3"), (6, "0 to 7"), (9, "8 to 11")])
def test_a_node(chain: Chain, number: int, leaves: str) -> None:
    with tampered():
        LedgerNode.objects.filter(pk=number).update(hash=bytes(32))
        assert first_finding().startswith(f"node over the leaves {leaves}: expected ")
        assert first_finding().endswith(f"found {'00' * 32} (node {number})")
        delete("entitlements_ledgernode", "number", 9)
        if number == 9:
            assert first_finding().endswith("found none")


def test_a_node_too_many(chain: Chain) -> None:
    with tampered():
        LedgerNode.objects.create(number=10, hash=bytes(32))
        assert first_finding() == "node 10: expected no node after 9, found one"


@pytest.mark.parametrize("size", [3, 8, 12])
def test_a_head(chain: Chain, size: int) -> None:
    """E11: root, signature, time and order of the heads."""
    with tampered():
        LedgerHead.objects.filter(pk=size).update(root=bytes(32))
        assert first_finding().startswith(f"head at {size}, root: expected ")
    with tampered():
        LedgerHead.objects.filter(pk=size).update(sealed_at=chain.issued.created_at)
        assert first_finding().startswith(f"head at {size}, signature: expected ")
    with tampered():
        LedgerHead.objects.filter(pk=size).update(signature=bytes(64))
        assert first_finding().startswith(f"head at {size}, signature: expected ")


def test_a_head_at_a_size_that_never_was(chain: Chain) -> None:
    with tampered():
        LedgerHead.objects.filter(pk=8).update(size=7)
        assert first_finding().startswith("head at 7, root: expected ")


@pytest.mark.parametrize(("size", "next_head"), [(3, 8), (8, 12)])
def test_a_removed_head(chain: Chain, size: int, next_head: int) -> None:
    """E11: the next head names its hash."""
    with tampered():
        delete("entitlements_ledgerhead", "size", size)
        assert first_finding().startswith(f"head at {next_head}, hash of the head before: expected ")


def test_a_key(chain: Chain) -> None:
    """L6: a signature of another key is invalid."""
    old, new = SigningKey.objects.order_by("pk")
    with tampered():
        SigningKey.objects.filter(pk=old.pk).update(public_key=new.public_key)
        assert first_finding().startswith("head at 3, signature: expected ")


def test_a_private_half_that_does_not_open(settings: Any, chain: Chain) -> None:
    """L6: the ledger is intact, but nothing more can be sealed."""
    settings.KEY_ENCRYPTION_KEY = Fernet.generate_key().decode()
    assert first_finding().startswith(
        "signing key: expected a private half that opens, found KEY_ENCRYPTION_KEY does not open"
    )


def test_a_movement_kept_from_sealing(cast: Cast, chain: Chain) -> None:
    """E11: a movement that is neither sealed nor queued was removed from the queue."""
    movement = record_movement(
        actor=cast.distributor, kind=MovementKind.SPLIT, item=chain.installed, copies=1
    )
    UnsealedMovement.objects.all().delete()
    assert (
        first_finding()
        == f"movement {movement.pk}: expected a leaf, or a place in the queue for one, found neither"
    )


@pytest.mark.slow
def test_it_streams(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """E11: ten times the leaves take no more memory."""
    item = issue_item(cast)

    def peak(more: int) -> int:
        Movement.objects.bulk_create(
            Movement(kind=MovementKind.ADJUST, item=item, copies=1, actor=cast.mobotix) for _ in range(more)
        )
        seal_ledger()
        tracemalloc.start()
        assert list(seal_findings()) == []
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    monkeypatch.setattr(seal_verification, "LEAF_CHUNK", 100)
    monkeypatch.setattr(sealing, "SEAL_BATCH", 500)
    few = peak(300)
    assert peak(3_000) < 2 * few
