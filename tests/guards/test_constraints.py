"""Each constraint is needed: an attack that it stops goes through when it is taken away.

On PostgreSQL, which drops one and keeps the others; SQLite has the same constraints, made from the same models.
"""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import BaseConstraint, Model

from tests.guards.attacks import CONSTRAINTS
from tests.guards.test_triggers import take_away
from tests.guards.world import make_world, run
from tests.roles import as_owner

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def all_constraints() -> dict[str, tuple[type[Model], BaseConstraint]]:
    """Those of our own apps, by name."""
    own = [apps.get_app_config(label) for label in ("accounts", "entitlements", "notifications")]
    models = [model for config in own for model in config.get_models()]
    return {
        constraint.name: (model, constraint) for model in models for constraint in model._meta.constraints
    }


def drop_column_check(name: str) -> None:
    """Django's own check of a PositiveBigIntegerField."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name.rsplit('_', 2)[0]} DROP CONSTRAINT IF EXISTS {name}")


def test_the_table_names_every_constraint() -> None:
    """A new constraint needs its attack."""
    assert set(all_constraints()) == set(CONSTRAINTS)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_each_constraint_is_needed(name: str) -> None:
    """With it the attack is refused by its name, without it the attack goes through."""
    world, attack = make_world(), CONSTRAINTS[name]
    model, constraint = all_constraints()[name]
    with as_owner():
        connection.check_constraints()
        take_away(*attack.without)
        for column_check in attack.without:
            if column_check.endswith("_check"):
                drop_column_check(column_check)
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            run(attack.sql, world)
        with connection.schema_editor() as editor:
            editor.remove_constraint(model, constraint)
        run(attack.sql, world)
