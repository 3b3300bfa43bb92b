"""Which migrations touch the ledger, and what happens while its triggers are missing (E11)."""

from contextlib import closing
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.operations.base import Operation
from django.db.models import Index

from entitlements.ledger import guarding, triggers
from entitlements.ledger.migrating import GuardedExecutor, Part, guarded_models, touches
from entitlements.ledger.movements import record_movement
from entitlements.models import LineItem, MovementKind
from tests.factories import Cast
from tests.live import database_url
from tests.roles import as_owner

NOTE = models.CharField(max_length=10, default="")
TO_ITEM = models.ForeignKey("entitlements.LineItem", models.PROTECT)
TOUCHES = [
    migrations.AddField("lineitem", "note", NOTE),
    migrations.RemoveField("Movement", "reason"),
    migrations.AlterField("activation", "copies", models.BigIntegerField()),
    migrations.AddIndex("movement", Index(fields=["kind"], name="x")),
    migrations.AlterModelTable("entitlement", "other"),
    migrations.RenameModel("LineItem", "Item"),
    migrations.CreateModel("New", [("item", TO_ITEM)]),
    migrations.AddField("product", "item", TO_ITEM),
    migrations.RunSQL("SELECT 1"),
    migrations.RunPython(migrations.RunPython.noop),
    migrations.SeparateDatabaseAndState([], []),
]
LEAVES_ALONE = [
    migrations.AddField("product", "note", NOTE),
    migrations.AddIndex("product", Index(fields=["name_en"], name="x")),
    migrations.CreateModel("New", [("note", NOTE)]),
]


def migration(*operations: Operation, atomic: bool = True) -> Any:
    made = migrations.Migration("x", "entitlements")
    made.operations, made.atomic = list(operations), atomic
    return made


@pytest.mark.parametrize("operation", TOUCHES + LEAVES_ALONE)
def test_what_touches_the_ledger(operation: Operation) -> None:
    """E11: an operation that names no table may touch any."""
    known = guarded_models(connection.vendor, None)
    assert touches(migration(operation), known) == (operation in TOUCHES)


def test_a_former_name_of_a_model_counts() -> None:
    """E11: migrations use a model's name of their time."""
    state = SimpleNamespace(models={("entitlements", "lineitem"): SimpleNamespace(options={})})
    state.models["entitlements", "item"] = SimpleNamespace(options={"db_table": LineItem._meta.db_table})
    known = guarded_models(connection.vendor, state)  # type: ignore[arg-type]
    assert touches(migration(migrations.AddField("item", "note", NOTE)), known)


@pytest.mark.django_db
@pytest.mark.postgres
def test_a_plan_is_cut_where_the_ledger_is_touched() -> None:
    """E11: one transaction from the first migration that touches it to the last, except for migrations without a
    transaction.
    """
    other, ledger = migration(LEAVES_ALONE[0]), migration(TOUCHES[0])
    alone = migration(TOUCHES[9], atomic=False)
    plan = [(one, False) for one in (other, ledger, other, ledger, other, alone, ledger)]
    parts = GuardedExecutor(connection)._parts(plan, None)
    assert [(len(part.plan), part.touches_ledger) for part in parts] == [
        (1, False),
        (3, True),
        (1, False),
        (1, False),
        (1, True),
    ]
    assert GuardedExecutor(connection)._parts([(other, False)], None) == [Part([(other, False)])]


@pytest.mark.django_db
def test_a_closed_ledger_takes_no_movement(cast: Cast, item: LineItem) -> None:
    """E11: without triggers every movement is refused, whoever writes it."""
    with as_owner():
        guarding.close(connection)
    with pytest.raises(DatabaseError, match="ledger: closed"), transaction.atomic():
        record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=item, copies=1)
    with as_owner():
        assert "trigger ledger_movement_closed: not one of this version" in triggers.findings(connection)
        guarding.make(connection)
        assert triggers.findings(connection) == []
    record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=item, copies=1)


@pytest.mark.django_db
def test_the_ledger_without_triggers() -> None:
    """E11: afterwards the triggers are as before; if some were missing, the ledger is closed."""
    with as_owner():
        with guarding.unguarded(connection, None):
            assert triggers.definitions(connection) == []
        assert triggers.findings(connection) == []
        triggers.drop(connection)
        with guarding.unguarded(connection, None):
            pass
        assert "ledger_movement_closed" in "".join(triggers.definitions(connection))


@pytest.mark.django_db
def test_what_cannot_carry_the_triggers_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """E11: after migrating back, tables of an older version have a closed ledger."""

    def cannot(connection: Any) -> None:
        raise DatabaseError

    with as_owner():
        monkeypatch.setattr(triggers, "create", cannot)
        guarding.make_or_close(connection)
        assert "ledger_movement_closed" in "".join(triggers.definitions(connection))
        monkeypatch.setattr(triggers, "tables_exist", lambda connection: False)
        monkeypatch.setattr(triggers, "create", triggers.drop)
        guarding.make(connection)
        assert "ledger_movement_closed" in "".join(triggers.definitions(connection))


@pytest.mark.django_db
@pytest.mark.postgres
def test_nobody_waits_long_for_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """E11: while somebody uses the ledger, the lock is tried again and again, and given up in the end."""
    monkeypatch.setattr(guarding, "LOCK_PATIENCE", 0)
    with closing(psycopg2.connect(database_url())) as other, as_owner():
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE entitlements_movement IN ROW EXCLUSIVE MODE")
        with pytest.raises(guarding.LedgerBusyError), guarding.unguarded(connection):
            pass
        assert triggers.findings(connection) == []
        other.rollback()
        with guarding.unguarded(connection):
            pass
