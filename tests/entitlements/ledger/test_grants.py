"""The application's role on PostgreSQL cannot bypass the ledger, whatever SQL it runs (E11)."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction

from entitlements.models import LineItem, Movement, MovementKind
from tests.factories import Cast, Chain
from tests.live import login

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entitlements_lineitem SET available = available",
        "UPDATE entitlements_lineitem SET quantity = quantity + 1, available = available + 1",
        "UPDATE entitlements_movement SET reason = 'x'",
        "DELETE FROM entitlements_movement",
        "DELETE FROM entitlements_lineitem",
        "DELETE FROM entitlements_entitlement",
        "UPDATE accounts_auditentry SET reason = 'x'",
        "DELETE FROM accounts_auditentry",
        "INSERT INTO entitlements_unsealedmovement SELECT id FROM entitlements_movement",
        "UPDATE entitlements_unsealedmovement SET movement_id = movement_id",
        "UPDATE entitlements_ledgerleaf SET number = number",
        "DELETE FROM entitlements_ledgerleaf",
        "UPDATE entitlements_ledgernode SET number = number",
        "DELETE FROM entitlements_ledgernode",
        "UPDATE entitlements_ledgerhead SET size = size",
        "DELETE FROM entitlements_ledgerhead",
        "DELETE FROM entitlements_signingkey",
        "INSERT INTO entitlements_unsealedrecord (kind, subject) VALUES ('item', 1)",
        "UPDATE entitlements_sealedrecords SET kind = kind",
        "DELETE FROM entitlements_sealedrecords",
        "DELETE FROM entitlements_license",
        "UPDATE entitlements_signingkey SET private_key = private_key",
        "UPDATE entitlements_signingkey SET public_key = 'x'",
        "UPDATE entitlements_signingkey SET retired_at = NULL, compromised_at = NULL",
        "INSERT INTO entitlements_signingkey (key_id, algorithm, public_key, private_key, created_at, retired_at)"
        " SELECT 'x', algorithm, public_key, '', created_at, created_at FROM entitlements_signingkey",
        "TRUNCATE entitlements_movement CASCADE",
        "ALTER TABLE entitlements_movement DISABLE TRIGGER ledger_movement_no_change",
        "DROP TRIGGER ledger_item_balances ON entitlements_lineitem",
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE OR REPLACE VIEW ledger_effect AS SELECT 'issue' AS kind, 2 AS quantity",
        "UPDATE ledger_effect SET quantity = 2",
        "ALTER TABLE entitlements_lineitem DROP CONSTRAINT line_item_conservation",
        "SET session_replication_role = replica",
        "DELETE FROM django_migrations",
    ],
)
def test_what_the_application_may_not(chain: Chain, sql: str) -> None:
    """E11: it lacks the right, even before a trigger refuses."""
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert any(
        words in str(error.value) for words in ("permission denied", "must be owner", "cannot update view")
    )


def test_no_table_of_a_session_stands_in(cast: Cast, chain: Chain) -> None:
    """E11: a temporary table of the same name does not deceive the ledger's functions."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE entitlements_lineitem (id bigint, parent_id bigint) ON COMMIT DROP")
        cursor.execute(
            "INSERT INTO entitlements_lineitem VALUES (%s, %s)", [chain.served.pk, chain.issued.pk]
        )
        with pytest.raises(DatabaseError, match="names the item"), transaction.atomic():
            Movement.objects.create(
                kind=MovementKind.SPLIT,
                item_id=chain.served.pk,
                parent_id=chain.issued.pk,
                copies=1,
                actor=cast.mobotix,
            )
        Movement.objects.create(
            kind=MovementKind.SPLIT,
            item_id=chain.served.pk,
            parent_id=chain.installed.pk,
            copies=1,
            actor=cast.installer,
        )
        cursor.execute("DROP TABLE entitlements_lineitem")
    chain.served.refresh_from_db()
    assert chain.served.quantity == 6


def test_the_application_does_its_work(chain: Chain) -> None:
    """E11: the application's role, which does not own the tables, created the chain."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user <> tableowner FROM pg_tables WHERE tablename = 'entitlements_movement'"
        )
        assert cursor.fetchone() == (True,)
    assert LineItem.objects.get(pk=chain.issued.pk).available == 60


def test_migrate_gives_the_role_its_rights(tmp_path: Path) -> None:
    """E11: with DATABASE_OWNER_URL, migrate creates the tables, the role and its rights; running it again changes
    nothing.
    """
    name = f"test_grants_{os.getpid()}"
    owner = login()
    with psycopg2.connect(f"{owner}/postgres") as administration:
        administration.autocommit = True
    cursor = administration.cursor()
    cursor.execute(f"CREATE DATABASE {name}")
    try:
        host = owner.rpartition("@")[2]
        environment = os.environ | {
            "DATABASE_OWNER_URL": f"{owner}/{name}",
            "DATABASE_URL": f"postgres://portal_test_migrated:only-for-tests@{host}/{name}",
            "VAR_DIR": str(tmp_path),
        }
        migrate = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
        for _time in range(2):
            subprocess.run(migrate, check=True, cwd=ROOT, env=environment)
        with psycopg2.connect(environment["DATABASE_URL"]) as application, application.cursor() as rows:
            rows.execute("SELECT count(*) FROM entitlements_movement")
            assert rows.fetchone() == (0,)
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                rows.execute("UPDATE entitlements_lineitem SET quantity = 0")
        application.close()
    finally:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        cursor.execute("DROP ROLE IF EXISTS portal_test_migrated")
        administration.close()
