"""E4, E11: each trigger is needed: an attack that it stops goes through when it is taken away."""

import re

import pytest
from django.db import DatabaseError, connection, transaction

from entitlements.ledger.triggers import DROP, EXISTING, statements
from entitlements.ledger.verification import differences
from entitlements.models import LineItem, Movement, MovementKind
from tests.guards.attacks import TRIGGERS, WORKING
from tests.guards.world import make_world, run
from tests.roles import as_owner

pytestmark = pytest.mark.django_db


def take_away(*names: str) -> None:
    """Drop these triggers; the test's transaction brings them back."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING[connection.vendor])
        for name, table in cursor.fetchall():
            if name in names:
                cursor.execute(DROP[connection.vendor].format(name=name, table=table))


def test_the_table_names_every_trigger() -> None:
    """A new trigger needs its attack."""
    made = set(re.findall(r"TRIGGER (ledger_\w+)", "\n".join(statements(connection.vendor))))
    assert made == set(TRIGGERS) | WORKING


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIGGERS)
def test_each_trigger_is_needed(name: str) -> None:
    """With it the attack is refused, without it the attack goes through."""
    world, attack = make_world(), TRIGGERS[name]
    with as_owner():
        connection.check_constraints()  # what waits for the end of the transaction would stand before a TRUNCATE
        take_away(*attack.without)
        with pytest.raises(DatabaseError, match="ledger: "), transaction.atomic():
            run(attack.sql, world)
        take_away(name)
        run(attack.sql, world)


def test_balances_do_not_follow_without_the_trigger() -> None:
    """E11: and the verification sees it."""
    world = make_world()
    with as_owner():
        take_away("ledger_movement_applies")
        Movement.objects.create(
            kind=MovementKind.ISSUE, item_id=world["issued"], copies=5, actor_id=world["actor"]
        )
    assert LineItem.objects.get(pk=world["issued"]).quantity == 101
    assert [difference.item_id for difference in differences()] == [world["issued"]]


def test_nothing_waits_to_be_sealed_without_the_trigger() -> None:
    """E11: with it no movement can be kept out of the tree."""
    world = make_world()
    movement = {
        "kind": MovementKind.ISSUE,
        "item_id": world["issued"],
        "copies": 5,
        "actor_id": world["actor"],
    }
    with as_owner():
        assert hasattr(Movement.objects.create(**movement), "unsealed")
        take_away("ledger_movement_waits")
        assert not hasattr(Movement.objects.create(**movement), "unsealed")
