"""What the database guarantees about quantities, against raw SQL and on both databases (E4, E11)."""

import re

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Sum

from accounts.models import Tier
from entitlements.ledger.movements import record_device_movement, record_movement
from entitlements.ledger.triggers import create, drop, statements
from entitlements.ledger.verification import differences, differences_on_devices
from entitlements.models import LineItem, Movement, MovementKind
from entitlements.splits.services.undo import undo_split
from tests.factories import (
    Cast,
    Chain,
    issue_item,
    make_account,
    make_activation,
    split_item,
)
from tests.roles import as_owner, refused

pytestmark = pytest.mark.django_db


def balances(item: LineItem) -> tuple[int, int, int, int]:
    """The stored balances: quantity, available, split, activated."""
    return LineItem.objects.values_list("quantity", "available", "split", "activated").get(pk=item.pk)


def test_balances_follow_from_movements(chain: Chain) -> None:
    """E11: writing movements alone sets the balances."""
    assert balances(chain.issued) == (100, 60, 40, 0)
    assert balances(chain.installed) == (40, 35, 5, 0)
    assert balances(chain.served) == (5, 5, 0, 0)
    assert list(differences()) == []


def test_copies_issued_are_the_copies_available_below(chain: Chain) -> None:
    """E4: for an issued item, the copies issued equal the copies available anywhere below it."""
    available = LineItem.objects.aggregate(total=Sum("available"))["total"]
    assert available == 100


@pytest.mark.parametrize(
    "change",
    [
        "quantity = quantity + 1, available = available + 1",
        "available = available - 1, split = split + 1",
        "available = available - 1, activated = activated + 1",
        "ledger_position = ledger_position + 1",
        "quantity = 0, available = 0, split = 0",
    ],
)
def test_raw_sql_cannot_write_a_balance(chain: Chain, change: str) -> None:
    """E11: a balance that no movement explains is refused, even if its sum is right (E4)."""
    message = refused(f"UPDATE entitlements_lineitem SET {change} WHERE id = %s", chain.installed.pk)
    assert "balances follow from movements" in message
    assert balances(chain.installed) == (40, 35, 5, 0)


def test_raw_sql_cannot_name_an_old_movement_again(chain: Chain) -> None:
    """E11: neither an earlier nor the present movement explains a second change."""
    movement = Movement.objects.get(item=chain.installed, kind=MovementKind.SPLIT)
    sql = (
        "UPDATE entitlements_lineitem SET quantity = quantity + 40, available = available + 40, ledger_position = %s"
        " WHERE id = %s"
    )
    refused(sql, movement.pk, chain.installed.pk)


@pytest.mark.parametrize(
    "sql", ["UPDATE entitlements_movement SET copies = copies + 1", "DELETE FROM entitlements_movement"]
)
def test_movements_are_append_only(chain: Chain, sql: str) -> None:
    """E11: raw SQL cannot change or delete one."""
    assert "append-only" in refused(sql)


def test_orm_cannot_delete_movements_or_items(chain: Chain) -> None:
    """A6, E11: the ORM cannot delete them either."""
    with pytest.raises(DatabaseError), transaction.atomic():
        Movement.objects.all()._raw_delete("default")
    with pytest.raises(DatabaseError), transaction.atomic():
        LineItem.objects.filter(pk=chain.served.pk)._raw_delete("default")


@pytest.mark.parametrize(
    "column", ["product_id", "owner_id", "seller_id", "entitlement_id", "parent_id", "installer_id"]
)
def test_what_an_item_is_never_changes(cast: Cast, chain: Chain, column: str) -> None:
    """E11: re-parenting an item, or giving it to another owner, would move copies without a movement."""
    other = issue_item(cast, cast.other_distributor.account)
    value = {
        "parent_id": other.pk,
        "entitlement_id": other.entitlement_id,
        "product_id": other.product_id + 1,
    }.get(column, other.owner_id)
    message = refused(f"UPDATE entitlements_lineitem SET {column} = %s WHERE id = %s", value, chain.served.pk)
    assert "never change" in message


def test_new_items_start_at_zero(cast: Cast, chain: Chain) -> None:
    """E11: an item cannot be created with copies."""
    item = chain.served
    item.pk, item.activation_id, item.verification_code = None, "LEGACY-1", "code"
    item._state.adding = True
    with pytest.raises(IntegrityError, match="starts at 0"), transaction.atomic():
        item.save()


def test_a_movement_names_item_and_parent(cast: Cast, chain: Chain) -> None:
    """E11: copies cannot be split from an item that is not the parent."""
    other = issue_item(cast, cast.other_distributor.account)
    with pytest.raises(IntegrityError, match="names the item"), transaction.atomic():
        Movement.objects.create(
            kind=MovementKind.SPLIT, item=chain.served, parent=other, copies=1, actor=cast.mobotix
        )


def test_no_balance_falls_below_zero(cast: Cast, chain: Chain) -> None:
    """E4: a movement of more than is available is refused by the constraint, whatever the code checked."""
    with pytest.raises(DatabaseError), transaction.atomic():
        record_movement(actor=cast.installer, kind=MovementKind.SPLIT, item=chain.served, copies=36)
    with pytest.raises(DatabaseError), transaction.atomic():
        record_movement(actor=cast.installer, kind=MovementKind.UNDO, item=chain.served, copies=6)
    assert balances(chain.installed) == (40, 35, 5, 0)


def test_several_movements_in_one_statement(cast: Cast, chain: Chain) -> None:
    """E11: a bulk insert moves the balances of item and parent by the sum."""
    Movement.objects.bulk_create(
        Movement(
            kind=MovementKind.SPLIT, item=chain.served, parent=chain.installed, copies=n, actor=cast.installer
        )
        for n in (1, 2, 3)
    )
    assert balances(chain.installed) == (40, 29, 11, 0)
    assert balances(chain.served) == (11, 11, 0, 0)


def test_undo_returns_the_copies(cast: Cast, chain: Chain) -> None:
    """E8: an undo is the reverse of the split."""
    undo_split(actor=cast.installer, item_id=chain.served.pk, copies=2, key="undo")
    assert balances(chain.installed) == (40, 37, 3, 0)
    assert balances(chain.served) == (3, 3, 0, 0)


def test_verification_names_what_differs(chain: Chain) -> None:
    """E11: with the triggers taken away a balance can drift, and the verification says which and how."""
    with as_owner():
        drop(connection)
        LineItem.objects.filter(pk=chain.installed.pk).update(
            quantity=F("quantity") + 7, available=F("available") + 7
        )
        create(connection)
    (difference,) = differences()
    assert str(difference) == (
        f"line item {chain.installed.pk}: quantity is 47, the movements say 40; available is 42, the movements say 35"
    )


MADE = re.compile(r"^CREATE (?:OR REPLACE )?(?:TRIGGER|FUNCTION|VIEW) (ledger_\w+)", re.M)


@pytest.mark.parametrize("made", MADE.findall("\n".join(statements(connection.vendor))))
def test_everything_is_made(made: str) -> None:
    """E11: triggers, their functions and their views exist."""
    catalog = (
        "SELECT name FROM sqlite_master"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger UNION SELECT proname FROM pg_proc UNION SELECT viewname FROM pg_views"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalog)
        assert made in {row[0] for row in cursor.fetchall()}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (MovementKind.ISSUE, (107, 67, 40, 0)),
        (MovementKind.ADJUST, (107, 67, 40, 0)),
        (MovementKind.REVOKE, (93, 53, 40, 0)),
    ],
)
def test_what_each_kind_does(cast: Cast, chain: Chain, kind: MovementKind, expected: tuple[int, ...]) -> None:
    """E4, E11, E15: the effect of each kind on an issued item, which the verification confirms."""
    record_movement(actor=cast.mobotix, kind=kind, item=chain.issued, copies=7)
    assert balances(chain.issued) == expected
    assert list(differences()) == []


def test_activated_copies_come_back(cast: Cast, chain: Chain) -> None:
    """E4: activating a split item does not change its parent; no more than is activated can return."""
    activation = make_activation(chain.served)
    record_device_movement(actor=None, kind=MovementKind.ACTIVATE, activation=activation, copies=3)
    assert balances(chain.served) == (5, 2, 0, 3)
    record_device_movement(actor=cast.installer, kind=MovementKind.RETURN, activation=activation, copies=2)
    assert balances(chain.served) == (5, 4, 0, 1)
    assert balances(chain.installed) == (40, 35, 5, 0)
    activation.refresh_from_db()
    assert activation.copies == 1
    assert list(differences()) == list(differences_on_devices()) == []
    with pytest.raises(DatabaseError), transaction.atomic():
        record_device_movement(
            actor=cast.installer, kind=MovementKind.RETURN, activation=activation, copies=2
        )


def test_what_one_device_holds_does_not_return_from_another(cast: Cast, chain: Chain) -> None:
    """E4, L4: nor through another item's activation."""
    one, other = make_activation(chain.served), make_activation(chain.served)
    foreign = make_activation(chain.installed)
    record_device_movement(actor=cast.installer, kind=MovementKind.ACTIVATE, activation=one, copies=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        record_device_movement(actor=cast.installer, kind=MovementKind.RETURN, activation=other, copies=1)
    with pytest.raises(IntegrityError, match="their own item"), transaction.atomic():
        Movement.objects.create(
            kind=MovementKind.ACTIVATE, item=chain.served, activation=foreign, copies=1, actor=cast.installer
        )


@pytest.mark.parametrize("kind", [MovementKind.ISSUE, MovementKind.ADJUST, MovementKind.REVOKE])
def test_only_issued_items_grow_and_shrink_by_themselves(
    cast: Cast, chain: Chain, kind: MovementKind
) -> None:
    """E4, E15: copies of a split item come from its parent and go back to it."""
    with pytest.raises(IntegrityError), transaction.atomic():
        record_movement(actor=cast.mobotix, kind=kind, item=chain.installed, copies=1)


def test_no_unknown_kind(cast: Cast, chain: Chain) -> None:
    """E11: an unknown kind has no effect and is refused."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Movement.objects.create(kind="gift", item=chain.issued, copies=1, actor=cast.mobotix)


def test_splits_of_splits_keep_the_chain(cast: Cast, chain: Chain) -> None:
    """E2: the chain grows by one account at each split, and skips a tier where a distributor sells directly."""
    served = LineItem.objects.get(pk=chain.served.pk)
    chain_ids = (served.distributor_id, served.installer_id, served.end_customer_id)
    assert chain_ids == (cast.distributor.account_id, cast.installer.account_id, cast.customer.pk)
    direct = make_account(Tier.END_CUSTOMER, "Direct Buyer", sellers=(cast.distributor.account,))
    item = split_item(cast.distributor, chain.issued, direct, copies=1)
    assert (item.distributor_id, item.installer_id, item.end_customer_id) == (
        cast.distributor.account_id,
        None,
        direct.pk,
    )
