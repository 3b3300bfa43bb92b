"""Making and dropping the ledger's triggers, on PostgreSQL and on SQLite.

The SQL stands beside this file, one statement between lines of ``-- ;;``. Every trigger's name begins with ``ledger_``.
Both run around ``migrate``: SQLite cannot alter a table under triggers.
"""

from pathlib import Path
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

EXISTING = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger%'",
    "postgresql": (
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'ledger%'"
    ),
}
DROP = {"sqlite": "DROP TRIGGER {name}", "postgresql": "DROP TRIGGER {name} ON {table}"}
NEEDED_TABLE = "entitlements_ledgerhead"  # the newest of those that have triggers


def statements(vendor: str) -> list[str]:
    """The statements that make the triggers of one kind of database."""
    text = (Path(__file__).parent / f"{vendor}.sql").read_text(encoding="utf-8")
    return [statement.strip() for statement in text.split("-- ;;") if statement.strip()]


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING[connection.vendor])
        for name, table in cursor.fetchall():
            cursor.execute(DROP[connection.vendor].format(name=name, table=table))


def create(connection: BaseDatabaseWrapper) -> None:
    """Make every trigger of the ledger anew; nothing where its tables do not exist (yet, or any more)."""
    drop(connection)
    if NEEDED_TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in statements(connection.vendor):
            cursor.execute(statement.replace("{schema}", connection.ops.quote_name(_schema(cursor))))


def _schema(cursor: Any) -> str:
    """PostgreSQL's schema that holds the tables; SQLite has one only, and its triggers reach no other."""
    if cursor.db.vendor != "postgresql":
        return ""
    cursor.execute("SELECT current_schema()")
    return cursor.fetchone()[0]


def drop_triggers(using: str = "default", **kwargs: Any) -> None:
    """Receiver of pre_migrate."""
    drop(connections[using])


def create_triggers(using: str = "default", **kwargs: Any) -> None:
    """Receiver of post_migrate."""
    create(connections[using])
