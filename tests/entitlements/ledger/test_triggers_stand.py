"""/readyz compares the ledger's triggers with those of this version (E11)."""

import pytest
from django.db import connection
from django.test import Client

from entitlements.ledger import triggers
from tests.roles import as_owner
from tests.test_health import failed


def run_as_owner(*sql: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        for statement in sql:
            cursor.execute(statement)


def test_a_trigger_that_is_missing(db: None, client: Client) -> None:
    """E11: without it balances no longer follow, or can be written."""
    assert failed(client) == set()
    drop_one = triggers.DROP[connection.vendor].format(
        name="ledger_movement_applies", table="entitlements_movement"
    )
    run_as_owner(drop_one)
    assert failed(client) == {"triggers"}
    with as_owner():
        triggers.create(connection)
    assert failed(client) == set()


def test_a_trigger_that_is_another(db: None, client: Client) -> None:
    """E11: a trigger of the same name without effect, or an additional one, is found as well."""
    does_nothing = {
        "sqlite": "CREATE TRIGGER ledger_head_no_delete BEFORE DELETE ON entitlements_ledgerhead BEGIN SELECT 1; END",
        "postgresql": "CREATE TRIGGER ledger_head_no_change BEFORE DELETE ON entitlements_ledgerhead"
        " FOR EACH ROW EXECUTE FUNCTION ledger_refuse('x')",
    }[connection.vendor]
    name = does_nothing.split()[2]
    run_as_owner(
        triggers.DROP[connection.vendor].format(name=name, table="entitlements_ledgerhead"), does_nothing
    )
    assert failed(client) == {"triggers"}
    with as_owner():
        triggers.create(connection)
        assert triggers.findings(connection) == []
    run_as_owner(does_nothing.replace(name, "ledger_other"))
    assert failed(client) == {"triggers"}


@pytest.mark.postgres
@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE entitlements_movement DISABLE TRIGGER ledger_movement_applies",
        "ALTER TABLE entitlements_movement ENABLE REPLICA TRIGGER ledger_movement_applies",
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DROP VIEW ledger_effect CASCADE",
    ],
)
def test_a_trigger_that_does_nothing(db: None, client: Client, sql: str) -> None:
    """E11: a disabled trigger, or one with another function, is found."""
    run_as_owner(sql)
    assert failed(client) == {"triggers"}
