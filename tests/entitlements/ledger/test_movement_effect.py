"""A movement that no trigger applies is refused, so that no request succeeds without effect (E11)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from entitlements.ledger import triggers
from entitlements.ledger.movements import record_device_movement, record_movement, record_movements
from entitlements.models import LineItem, Movement, MovementKind
from tests.factories import Cast, Chain, make_activation, split_item
from tests.roles import as_owner

pytestmark = pytest.mark.django_db


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Run the block without these triggers, or without all."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(triggers.EXISTING[connection.vendor])
        for name, table in cursor.fetchall():
            if not names or name in names:
                cursor.execute(triggers.DROP[connection.vendor].format(name=name, table=table))
        yield
        triggers.create(connection)


def refused(write: Callable[[], object]) -> None:
    count = Movement.objects.count()
    with pytest.raises(IntegrityError, match="had no effect"), transaction.atomic():
        write()
    assert Movement.objects.count() == count, "nothing of it stays"


@pytest.mark.parametrize("names", [(), ("ledger_movement_applies",), ("ledger_movement_waits",)])
def test_a_movement_without_effect_is_refused(cast: Cast, chain: Chain, names: tuple[str, ...]) -> None:
    """E11: for one item, for many, and on a device."""
    activation = make_activation(chain.served)
    with without(*names):
        refused(
            lambda: record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=chain.issued, copies=1)
        )
        refused(
            lambda: record_movements(
                actor=cast.installer,
                kind=MovementKind.UNDO,
                parts=[(chain.served, 1), (chain.installed, 1)],
            )
        )
        refused(
            lambda: record_device_movement(
                actor=None, kind=MovementKind.ACTIVATE, activation=activation, copies=1
            )
        )
    record_device_movement(actor=None, kind=MovementKind.ACTIVATE, activation=activation, copies=1)


def test_a_split_without_effect_leaves_nothing(cast: Cast, chain: Chain) -> None:
    """E7: neither line item nor operation is stored, so that the same request can be sent again."""
    count = LineItem.objects.count()
    with without(), pytest.raises(IntegrityError, match="had no effect"):
        split_item(cast.distributor, chain.issued, cast.installer.account, copies=3, key="again")
    assert LineItem.objects.count() == count
    split_item(cast.distributor, chain.issued, cast.installer.account, copies=3, key="again")
    assert LineItem.objects.get(pk=chain.issued.pk).available == chain.issued.available - 3


def test_the_effect_is_one_query(cast: Cast, chain: Chain, django_assert_num_queries: Callable) -> None:
    """The insertion and one query, however many movements there are."""
    parts = [(chain.issued, 1)] * 30
    with django_assert_num_queries(2):
        record_movements(actor=cast.mobotix, kind=MovementKind.ADJUST, parts=parts)
    with django_assert_num_queries(0):
        record_movements(actor=cast.mobotix, kind=MovementKind.ADJUST, parts=[])
