"""A scratch database, filled with a realistic shape by a few large statements."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection
from django.db.backends.utils import CursorWrapper

from entitlements.ledger import triggers
from tests.bench.clock import say

ITEMS_OF_AN_ORDER = 20  # seed.sql makes 20 line items of each order that MOBOTIX takes
SEED = Path(__file__).parent / "seed.sql"
TABLES = (
    "accounts_account",
    "accounts_user",
    "accounts_sellingrelation",
    "entitlements_product",
    "entitlements_entitlement",
    "entitlements_lineitem",
    "entitlements_movement",
)
# What seed.sql leaves out: the emptiest value of each kind.
EMPTIEST = {
    "character varying": "''",
    "text": "''",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "jsonb": "'{}'",
}
COLUMNS_WITHOUT_DEFAULT = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = ANY(%s) AND is_nullable = 'NO' AND column_default IS NULL
"""
# Unique constraints before the foreign keys that may lean on them; primary keys stay.
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('f', 'u') ORDER BY contype = 'f', conname
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid::regclass::text = ANY(%s) AND NOT indisprimary
"""


@contextmanager
def scratch_database(server_url: str) -> Iterator[str]:
    """The address of an empty database of this run, dropped at the end."""
    name = f"portal_bench_{os.getpid()}"
    _on_server(server_url, f'CREATE DATABASE "{name}"')
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        _on_server(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(server_url: str, statement: str) -> None:
    with closing(psycopg2.connect(server_url)) as server:
        server.autocommit = True  # neither statement runs in a transaction
        server.cursor().execute(statement)


def migrate() -> None:
    """Every table, index and trigger of the portal."""
    call_command("migrate", verbosity=0, skip_checks=True)


def seed(items: int) -> None:
    """Fill the migrated database with that many line items, their ledger and all they belong to."""
    start = time.monotonic()
    triggers.drop(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'; SET statement_timeout = 0"
        )
        _give_defaults(cursor)
        with _without_indexes(cursor):
            _fill(cursor, orders=items // ITEMS_OF_AN_ORDER)
        cursor.execute("RESET maintenance_work_mem; RESET work_mem")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("RESET statement_timeout")
    triggers.create(connection)
    say(f"{items:,} line items in {time.monotonic() - start:.0f} s")


def _give_defaults(cursor: CursorWrapper) -> None:
    """So that seed.sql names only what matters, and a new column of a model does not stop it."""
    cursor.execute(COLUMNS_WITHOUT_DEFAULT, [list(TABLES)])
    for table, column, kind in cursor.fetchall():
        if kind in EMPTIEST:
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {EMPTIEST[kind]}")


@contextmanager
def _without_indexes(cursor: CursorWrapper) -> Iterator[None]:
    """Indexes and keys are quicker made once at the end than kept row by row."""
    cursor.execute(CONSTRAINTS, [list(TABLES)])
    constraints = cursor.fetchall()
    for table, name, _definition in reversed(constraints):
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(INDEXES, [list(TABLES)])
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _fill(cursor: CursorWrapper, *, orders: int) -> None:
    for statement in SEED.read_text(encoding="utf-8").split("-- ;;"):
        cursor.execute(statement, {"orders": orders})
    models = [apps.get_model(table.replace("_", ".", 1)) for table in TABLES]
    for statement in connection.ops.sequence_reset_sql(no_style(), models):
        cursor.execute(statement)
