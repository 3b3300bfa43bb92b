"""With all rights in the database anything can be changed, and `verify_ledger` names each change (E11)."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import AuditEntry
from entitlements.activation.services.activate import return_as_bearer
from entitlements.ledger.movements import record_movement
from entitlements.ledger.sealing.anchors import head_document
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.signing import active_key, make_first_key
from entitlements.ledger.triggers import create, drop
from entitlements.models import (
    Activation,
    CountedReturn,
    LedgerHead,
    LedgerLeaf,
    LedgerNode,
    License,
    LineItem,
    Movement,
    MovementKind,
    SigningKey,
)
from tests.entitlements.activation.devices import host, put_on
from tests.entitlements.ledger.test_verify_ledger import delete, tampered
from tests.factories import Chain, make_cast, make_chain
from tests.roles import as_owner

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """A sealed ledger with one valid license and one that has ended."""

    chain: Chain
    ended: License
    stranger: int


def make_world() -> World:
    cast = make_cast()
    chain = make_chain(cast)
    ended = put_on(cast, chain.served)
    return_as_bearer(activation_id=chain.served.activation_id, host=host())
    put_on(cast, chain.served, 1, "SN-2")
    seal_ledger()
    seal_records()
    ended.refresh_from_db()
    return World(chain, ended, cast.other_distributor.account_id)


def seal_all() -> bytes:
    """Seal everything, and return the newest head as it is kept elsewhere."""
    seal_ledger()
    seal_records()
    return head_document(LedgerHead.objects.select_related("key").latest("size"))


def said(*options: str) -> str:
    """The output of the command; "" where everything verifies."""
    error = io.StringIO()
    try:
        call_command("verify_ledger", *options, stdout=io.StringIO(), stderr=error)
    except CommandError:
        return error.getvalue()
    return ""


def change(model: Any, **values: Any) -> Callable[[World], None]:
    """Change the newest row of a table."""
    return lambda world: model.objects.filter(pk=model.objects.latest("pk").pk).update(**values)


def served(**names: str) -> Callable[[World], None]:
    """Set columns of the end customer's item to a stranger."""
    return lambda world: LineItem.objects.filter(pk=world.chain.served.pk).update(
        **dict.fromkeys(names.values(), world.stranger)
    )


def remove(table: str, model: Any) -> Callable[[World], None]:
    """Delete the newest row."""
    return lambda world: delete(table, model._meta.pk.column, model.objects.latest("pk").pk)


def insert_movement(world: World) -> None:
    """Insert a movement with matching balances, and without queueing it."""
    item = world.chain.issued
    Movement.objects.create(kind=MovementKind.ADJUST, item=item, copies=7, actor=item.created_by)
    LineItem.objects.filter(pk=item.pk).update(quantity=F("quantity") + 7, available=F("available") + 7)


def swap_movements(world: World) -> None:
    """Exchange the movements of two leaves."""
    one, other = LedgerLeaf.objects.filter(movement__isnull=False).order_by("pk")[:2]
    movements = one.movement_id, other.movement_id
    LedgerLeaf.objects.filter(pk=one.pk).update(movement=None)
    LedgerLeaf.objects.filter(pk=other.pk).update(movement=movements[0])
    LedgerLeaf.objects.filter(pk=one.pk).update(movement=movements[1])


def replace_private_key(world: World) -> None:
    from django.conf import settings

    token = Fernet(settings.KEY_ENCRYPTION_KEY).encrypt(Ed25519PrivateKey.generate().private_bytes_raw())
    SigningKey.objects.filter(retired_at=None).update(private_key=token.decode())


def replace_public_key(world: World) -> None:
    SigningKey.objects.update(public_key="A" * 43)


def insert_public_key(world: World) -> None:
    SigningKey.objects.create(key_id="mine", public_key="A" * 43, retired_at=timezone.now())


def take_back_end(world: World) -> None:
    License.objects.filter(activation=world.ended.activation_id).update(ended_at=None)


def counted(**values: Any) -> Callable[[World], None]:
    """Change the return as the issued item, the top of its chain, counts it."""
    return lambda world: CountedReturn.objects.filter(item=world.chain.issued).update(**values)


def remove_counted(world: World) -> None:
    pk = CountedReturn.objects.get(item=world.chain.installed).pk
    delete("entitlements_countedreturn", "id", pk)


def count_twice(world: World) -> None:
    """Add a counted return again, as the application's own role could."""
    row = CountedReturn.objects.get(item=world.chain.served)
    row.pk = None
    row.save()


def count_an_activation(world: World) -> None:
    """L4: use up a competitor's year with an activation that counts as a return."""
    movement = Movement.objects.filter(kind=MovementKind.ACTIVATE).latest("pk")
    CountedReturn.objects.create(
        item=world.chain.issued, movement=movement, copies=2, returned_at=timezone.now()
    )


TAMPERINGS: dict[str, tuple[Callable[[World], None], str]] = {
    "a balance": (change(LineItem, quantity=F("quantity") + 1, available=F("available") + 1), "line item"),
    "copies on a device": (change(Activation, copies=F("copies") + 1), "activation"),
    "a return that is not counted at a level": (
        remove_counted,
        "counts it: expected 2 copies, counted once, on the day of the movement, found none",
    ),
    "copies of a counted return": (counted(copies=1), "counts it: expected 2 copies"),
    "the time of a counted return": (
        counted(returned_at=timezone.now() - timedelta(days=400)),
        "counts it: expected",
    ),
    "a return that is counted twice": (count_twice, "found 4 copies in 2 rows"),
    "a counted return of nothing": (count_an_activation, "counts it: expected none, found 2 copies"),
    "a movement": (change(Movement, reason="x"), "movement"),
    "a removed movement": (remove("entitlements_movement", Movement), "no such movement"),
    "an inserted movement": (insert_movement, "expected a leaf, or a place in the queue"),
    "movements in another order": (swap_movements, "(leaf 0)"),
    "a leaf": (lambda world: LedgerLeaf.objects.filter(pk=0).update(hash=bytes(32)), "(leaf 0)"),
    "a removed leaf": (lambda world: delete("entitlements_ledgerleaf", "number", 0), "leaf 0: expected"),
    "a node": (change(LedgerNode, hash=bytes(32)), "node over the leaves"),
    "a head": (change(LedgerHead, root=bytes(32)), ", root: expected"),
    "a removed head": (
        lambda world: delete("entitlements_ledgerhead", "size", LedgerHead.objects.earliest("size").size),
        "hash of the head before",
    ),
    "a signature": (change(LedgerHead, signature=bytes(64)), ", signature: expected"),
    "a replaced private key": (replace_private_key, "does not belong to its public half"),
    "a replaced public key": (replace_public_key, "the thumbprint of its public half"),
    "an inserted public key": (insert_public_key, "signing key mine: expected one of PINNED_SIGNING_KEYS"),
    "another owner": (served(owner="owner_id", customer="end_customer_id"), "line item"),
    "another seller": (served(seller="seller_id"), "line item"),
    "another chain": (served(distributor="distributor_id"), "line item"),
    "an end that is taken back": (take_back_end, "end of license"),
    "another audit entry": (change(AuditEntry, reason="x"), "audit entry"),
    "a removed audit entry": (remove("accounts_auditentry", AuditEntry), "no such audit entry"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_tampering_is_named(settings: Any, name: str) -> None:
    """E11: with all rights in the database, and without triggers."""
    world = make_world()
    settings.PINNED_SIGNING_KEYS = [active_key().key_id]
    assert said() == ""
    tamper, expected = TAMPERINGS[name]
    with tampered():
        tamper(world)
        assert expected in said()


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[bytes], str]:
    def write(content: bytes) -> str:
        path = tmp_path / "head.json"
        path.write_bytes(content)
        return f"--head={path}"

    return write


@pytest.mark.slow
def test_an_earlier_copy_of_the_database(kept: Callable[[bytes], str]) -> None:
    """E11: it verifies in itself; a head that was kept elsewhere shows that the ledger had more entries."""
    world = make_world()
    before = seal_all()
    point = transaction.savepoint()
    record_movement(
        actor=world.chain.issued.created_by, kind=MovementKind.ADJUST, item=world.chain.issued, copies=1
    )
    after = seal_all()
    assert said(kept(before)) == said(kept(after)) == ""
    transaction.savepoint_rollback(point)
    assert said(kept(before)) == ""
    assert "head kept elsewhere" in said(kept(after))
    assert "an earlier copy, or emptied" in said(kept(after))


def test_another_end_of_the_ledger(kept: Callable[[bytes], str]) -> None:
    """E11: an earlier copy that continued differently, up to the kept size and beyond."""
    world = make_world()
    point = transaction.savepoint()
    actor = world.chain.issued.created_by
    record_movement(actor=actor, kind=MovementKind.ADJUST, item=world.chain.issued, copies=1)
    head = seal_all()
    transaction.savepoint_rollback(point)
    for copies in (2, 3):
        record_movement(actor=actor, kind=MovementKind.ADJUST, item=world.chain.issued, copies=copies)
        seal_all()
    assert said() == ""
    assert "head kept elsewhere" in said(kept(head))


def test_an_emptied_database(kept: Callable[[bytes], str]) -> None:
    """E11: nothing is left to be wrong, but the kept head is missing."""
    point = transaction.savepoint()
    make_world()
    head = seal_all()
    transaction.savepoint_rollback(point)
    assert not Movement.objects.exists()
    assert said() == ""
    assert "found 0: an earlier copy, or emptied" in said(kept(head))


def make_another_key() -> None:
    with as_owner():
        drop(connection)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM entitlements_signingkey")
        make_first_key()
        create(connection)


@pytest.mark.slow
def test_a_tree_that_was_built_again_with_another_key(settings: Any, kept: Callable[[bytes], str]) -> None:
    """E11: pinned keys reveal it, and so does a kept head."""
    point = transaction.savepoint()
    make_world()
    pinned, head = active_key().key_id, seal_all()
    transaction.savepoint_rollback(point)
    make_another_key()
    make_world()
    seal_all()
    assert said() == ""
    assert "head kept elsewhere" in said(kept(head))
    settings.PINNED_SIGNING_KEYS = [pinned]
    found = said()
    assert f"signing key {active_key().key_id}: expected one of PINNED_SIGNING_KEYS" in found
    assert (
        f"signing key {pinned}: expected it, since PINNED_SIGNING_KEYS names it, found no such key" in found
    )


def test_a_head_that_nobody_signed(kept: Callable[[bytes], str]) -> None:
    """E11: a forged file is no anchor, and another file is refused."""
    make_world()
    head = seal_all()
    forged = head.replace(b'"signature":"', b'"signature":"00')
    assert "none that it made" in said(kept(forged))
    with pytest.raises(CommandError, match="This is no head of a ledger"):
        call_command("verify_ledger", kept(b"{}"))
