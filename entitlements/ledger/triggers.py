"""Creating, dropping and comparing the ledger's triggers on PostgreSQL and SQLite (E11).

The SQL files beside this module separate statements by lines of ``-- ;;``. Every trigger's name begins with
``ledger_``. ``guarding.py`` drops the triggers and creates them again around work on their tables.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

EXISTING = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger%'",
    "postgresql": (
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND tgname LIKE 'ledger%'"
        " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    ),
}
DROP = {"sqlite": "DROP TRIGGER {name}", "postgresql": "DROP TRIGGER {name} ON {table}"}
# The objects in the database, as (kind, name, definition). PostgreSQL rewrites definitions, so there the digest of
# the statement is kept as a comment, which is dropped with the trigger; so are the table, and whether it is enabled.
INSTALLED = {
    "sqlite": (
        "SELECT upper(type), name, sql FROM sqlite_master"
        " WHERE type IN ('trigger', 'view') AND name LIKE 'ledger%'"
    ),
    "postgresql": """
WITH here AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
SELECT 'TRIGGER', tgname, concat_ws(' ', relname, tgenabled, obj_description(pg_trigger.oid, 'pg_trigger'))
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN here ON here.oid = relnamespace
WHERE NOT tgisinternal AND tgname LIKE 'ledger%'
UNION ALL
SELECT 'FUNCTION', proname, concat_ws(' ', obj_description(pg_proc.oid, 'pg_proc'), prosrc)
FROM pg_proc JOIN here ON here.oid = pronamespace WHERE proname LIKE 'ledger%'
UNION ALL
SELECT 'VIEW', relname, obj_description(pg_class.oid, 'pg_class')
FROM pg_class JOIN here ON here.oid = relnamespace WHERE relkind = 'v' AND relname LIKE 'ledger%'
""",
}
DEFINITIONS = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger%'",
    "postgresql": """
SELECT pg_get_triggerdef(pg_trigger.oid), 'COMMENT ON TRIGGER ' || quote_ident(tgname) || ' ON '
  || tgrelid::regclass::text || ' IS ' || quote_literal(obj_description(pg_trigger.oid, 'pg_trigger'))
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND tgname LIKE 'ledger%'
  AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
""",
}
MAKES = re.compile(r"^CREATE (?:OR REPLACE )?(TRIGGER|FUNCTION|VIEW) (ledger_\w+)", re.MULTILINE)
ON_TABLE = re.compile(r"\bON ((?:accounts|entitlements)_\w+)")
Named = dict[tuple[str, str], str]


@cache
def statements(vendor: str) -> list[str]:
    """Return the statements that create the triggers of one kind of database."""
    text = (Path(__file__).parent / f"{vendor}.sql").read_text(encoding="utf-8")
    return [statement.strip() for statement in text.split("-- ;;") if statement.strip()]


@cache
def guarded_tables(vendor: str) -> frozenset[str]:
    """Return every table that has a trigger, or that a trigger reads or writes."""
    return frozenset(re.findall(r"\b(?:accounts|entitlements)_[a-z]+\b", "\n".join(statements(vendor))))


def tables_exist(connection: BaseDatabaseWrapper) -> bool:
    """Return whether all tables that the triggers need exist."""
    return guarded_tables(connection.vendor) <= set(connection.introspection.table_names())


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING[connection.vendor])
        for name, table in cursor.fetchall():
            cursor.execute(DROP[connection.vendor].format(name=name, table=table))


def create(connection: BaseDatabaseWrapper) -> None:
    """Drop and create every trigger of the ledger; drop only, where some of its tables do not exist."""
    drop(connection)
    if not tables_exist(connection):
        return
    with connection.cursor() as cursor:
        for statement in statements(connection.vendor):
            cursor.execute(statement.replace("{schema}", connection.ops.quote_name(_schema(cursor))))
            if connection.vendor == "postgresql":
                cursor.execute(_comment(statement))


def definitions(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the statements that create the present triggers, whatever their version."""
    with connection.cursor() as cursor:
        cursor.execute(DEFINITIONS[connection.vendor])
        return [statement for row in cursor.fetchall() for statement in row if statement]


def findings(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the differences between the triggers in the database and those of this version, one sentence each."""
    expected, found = _expected(connection.vendor), _installed(connection)
    wrong = [
        f"{kind.lower()} {name}: {'not as this version makes it' if (kind, name) in found else 'missing'}"
        for (kind, name), definition in expected.items()
        if found.get((kind, name)) != definition
    ]
    unknown = [name for kind, name in found if kind == "TRIGGER" and (kind, name) not in expected]
    return wrong + [f"trigger {name}: not one of this version" for name in unknown]


def _installed(connection: BaseDatabaseWrapper) -> Named:
    with connection.cursor() as cursor:
        cursor.execute(INSTALLED[connection.vendor])
        return {(kind, name): definition for kind, name, definition in cursor.fetchall()}


@cache
def _expected(vendor: str) -> Named:
    """Return kind, name and definition of all objects as ``create`` leaves them."""
    expected = {}
    for statement in statements(vendor):
        if made := MAKES.search(statement):
            definition = (
                statement[made.start() :] if vendor == "sqlite" else _on_postgresql(statement, made[1])
            )
            expected[made[1], made[2]] = definition
    return expected


def _on_postgresql(statement: str, kind: str) -> str:
    if kind == "TRIGGER":
        (table,) = ON_TABLE.findall(statement)
        return f"{table} O {_digest(statement)}"
    return f"{_digest(statement)} {statement.split('$$')[1]}" if kind == "FUNCTION" else _digest(statement)


def _comment(statement: str) -> str:
    """Return the statement that keeps the digest of a statement as the comment of what it created."""
    made = MAKES.search(statement)
    assert made, statement
    kind, name = made.groups()
    table = ON_TABLE.search(statement)
    on = f" ON {table[1]}" if kind == "TRIGGER" and table else "()" if kind == "FUNCTION" else ""
    return f"COMMENT ON {kind} {name}{on} IS '{_digest(statement)}'"


def _digest(statement: str) -> str:
    return sha256(statement.encode()).hexdigest()


def _schema(cursor: Any) -> str:
    """Return the quotable name of PostgreSQL's schema of the tables; "" on SQLite, which has only one."""
    if cursor.db.vendor != "postgresql":
        return ""
    cursor.execute("SELECT current_schema()")
    return cursor.fetchone()[0]
