"""Work for which the ledger's triggers must be dropped: in one transaction, behind a lock (E11).

If the process is killed meanwhile, the database keeps its former state with all triggers. Nobody else writes a movement
meanwhile: on PostgreSQL each one waits for the lock on its table, on SQLite for the database.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from entitlements.ledger import triggers

LOCK_PATIENCE = 300  # seconds, within which the locks must be obtained
# Shorter than PostgreSQL's deadlock_timeout (1 s), so that this side tries again before another one is cancelled.
LOCK_TIMEOUT = "500ms"
LOCK_NOT_AVAILABLE = "55P03"
MOVEMENTS = "entitlements_movement"
# Statements that refuse every movement, for a database that cannot have the triggers.
CLOSED = {
    "sqlite": [
        "CREATE TRIGGER ledger_movement_closed BEFORE INSERT ON entitlements_movement BEGIN"
        " SELECT RAISE(ABORT, 'ledger: closed until manage.py migrate has made its triggers'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION ledger_closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'ledger: closed until manage.py migrate has made its triggers' USING ERRCODE = '23514'; END $$",
        "CREATE TRIGGER ledger_movement_closed BEFORE INSERT ON entitlements_movement"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_closed()",
    ],
}
Finish = Callable[[BaseDatabaseWrapper], None]


class LedgerBusyError(OperationalError):
    """The locks could not be obtained in time; nothing was changed."""


def make(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers of this version, or close the ledger where some of their tables are missing."""
    triggers.create(connection)
    if not triggers.tables_exist(connection):
        close(connection)


def make_or_close(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers of this version, or close the ledger where the tables do not fit them.

    The tables of an older version cannot have the triggers of this one.
    """
    try:
        with transaction.atomic(using=connection.alias):
            make(connection)
    except DatabaseError:
        close(connection)


def close(connection: BaseDatabaseWrapper) -> None:
    """Refuse every movement until the triggers are created (E11)."""
    triggers.drop(connection)
    if MOVEMENTS in connection.introspection.table_names():
        _execute(connection, CLOSED[connection.vendor])


@contextmanager
def unguarded(connection: BaseDatabaseWrapper, finish: Finish | None = make) -> Iterator[None]:
    """Run the block without the triggers, in one transaction and behind the lock (E11).

    At the end ``finish`` creates the triggers; where it is None, the former ones are created again. Raises
    LedgerBusyError where others hold the tables for longer than LOCK_PATIENCE.
    """
    with transaction.atomic(using=connection.alias):
        lock(connection)
        before = triggers.definitions(connection)
        triggers.drop(connection)
        yield
        if finish:
            finish(connection)
        else:
            _put_back(connection, before)


def _put_back(connection: BaseDatabaseWrapper, definitions: list[str]) -> None:
    try:
        with transaction.atomic(using=connection.alias):
            _execute(connection, definitions)
    except DatabaseError:
        definitions = []
    if not definitions:
        close(connection)


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def lock(connection: BaseDatabaseWrapper) -> None:
    """Lock the ledger's tables against everybody else until the transaction ends.

    SQLite's transaction does so by itself. Raises LedgerBusyError.
    """
    if connection.vendor != "postgresql":
        return
    tables = sorted(triggers.guarded_tables(connection.vendor) & set(connection.introspection.table_names()))
    give_up = time.monotonic() + LOCK_PATIENCE
    while tables and not _try_to_lock(connection, tables):
        if time.monotonic() > give_up:
            raise LedgerBusyError(
                "The ledger's tables are always in use. Stop web, workers and beat, and run the command again."
            )
        time.sleep(random.uniform(0.1, 1))


def _try_to_lock(connection: BaseDatabaseWrapper, tables: list[str]) -> bool:
    names = ", ".join(map(connection.ops.quote_name, tables))
    commands = [
        f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'",
        f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE",
        "SET LOCAL lock_timeout = 0",
        "SET LOCAL statement_timeout = 0",
    ]
    try:
        with transaction.atomic(using=connection.alias):
            _execute(connection, commands)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def keep_triggers(using: str = "default", plan: Any = (), **kwargs: Any) -> None:
    """Create the triggers where they differ from those of this version (receiver of post_migrate).

    Nothing changes where they are the same.
    """
    connection = connections[using]
    if triggers.findings(connection) and MOVEMENTS in connection.introspection.table_names():
        backwards = any(backwards for _migration, backwards in plan)
        with unguarded(connection, make_or_close if backwards else make):
            pass
