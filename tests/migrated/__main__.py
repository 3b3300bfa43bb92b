"""python -m tests.migrated split | kill TIMES | strike STATEMENT | idle | check

``split`` uses the portal; the others, as the owner of the tables, migrate beside it and look at what is left.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from entitlements.ledger import guarding, triggers
from entitlements.models import LineItem, Movement
from tests.factories import issue_item, make_cast, split_item
from tests.migrated.migrations import LEAF

QUANTITY = 1_000_000
COLUMNS = {"9997_note": ("entitlements_lineitem", "note"), "9999_remark": ("entitlements_movement", "remark")}
SNAPSHOT = {
    "sqlite": "SELECT type, name, sql, rootpage FROM sqlite_master ORDER BY 1, 2",
    "postgresql": """
SELECT 'trigger', tgname::text, oid, xmin::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, oid, xmin::text FROM pg_proc WHERE proname LIKE 'ledger%'
UNION ALL SELECT 'rights', relname, oid, relacl::text FROM pg_class
ORDER BY 1, 2, 3
""",
}


def split() -> None:
    """Splits one after another. One line for each that is acknowledged: item and copies; or why it was not."""
    cast = make_cast()
    source = issue_item(cast, cast.distributor.account, quantity=QUANTITY)
    copies = 0
    while True:
        copies = copies % 9 + 1
        try:
            made = split_item(cast.distributor, source, cast.installer.account, copies=copies)
        except Exception as error:
            print("refused", type(error).__name__, " ".join(str(error).split())[:200], flush=True)
        else:
            print("moved", made.pk, copies, flush=True)


def migrate(forwards: bool = True) -> None:
    target = [] if forwards else ["entitlements", LEAF]
    call_command("migrate", *target, verbosity=0, interactive=False, skip_checks=True)


@contextmanager
def counted(dies_at: int = 0) -> Iterator[list[str]]:
    """Every statement; before this one comes SIGKILL."""
    seen: list[str] = []

    def note(execute: Callable, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        if len(seen) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield seen


def in_child(work: Callable[[], object]) -> bool:
    """Whether it lived to the end."""
    connections.close_all()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "migrate failed"
    return not os.WIFSIGNALED(status)


def kill(times: int) -> None:
    """Migrate forwards and backwards, killed before statements that are spread over each course."""
    courses = []
    for forwards in (True, False):
        with counted() as seen:
            migrate(forwards)
        courses.append(len(seen))
    killed = 0
    for number in range(times):
        course = courses[0] if is_forwards() else courses[1]
        killed += not strike(1 + course * (2 * number + 1) // (2 * times))
    migrate(forwards=False)
    assert_whole()
    print(killed)


def strike(dies_at: int) -> bool:
    """Migrate in the one direction that is left. Whether it lived to the end."""
    way = is_forwards()
    lived = in_child(lambda: die(dies_at, way))
    assert_whole()
    return lived


def die(at: int, forwards: bool) -> None:
    with counted(at):
        migrate(forwards)


def is_forwards() -> bool:
    return "9999_remark" not in applied()


def applied() -> set[str]:
    return {name for app, name in MigrationRecorder(connection).applied_migrations() if app == "entitlements"}


def assert_whole() -> None:
    """The tables are those of the migrations that are written down, and have all triggers."""
    done = applied()
    with connection.cursor() as cursor:
        for name, (table, column) in COLUMNS.items():
            columns = {one.name for one in connection.introspection.get_table_description(cursor, table)}
            assert (column in columns) == (name in done), (column, name, done)
    assert triggers.findings(connection) == []


def idle() -> None:
    """With nothing to do it changes no schema, and waits for nobody who writes movements."""
    guarding.LOCK_PATIENCE = 0
    before = snapshot()
    if connection.vendor == "postgresql":
        other = connection.copy()
        with transaction.atomic():
            other.ensure_connection()
            with other.cursor() as cursor:
                cursor.execute("BEGIN; LOCK TABLE entitlements_movement IN ROW EXCLUSIVE MODE")
        migrate()
        other.close()
    else:
        migrate()
    assert snapshot() == before
    print("unchanged")


def snapshot() -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT[connection.vendor])
        return cursor.fetchall()


def check() -> None:
    """Reads what ``split`` printed, and names what was acknowledged and is not so."""
    told = {int(pk): int(copies) for word, pk, copies in map(str.split, sys.stdin) if word == "moved"}
    items = dict(LineItem.objects.filter(pk__in=told).values_list("pk", "quantity"))
    assert items == told, {pk for pk in told if items.get(pk) != told[pk]}
    source = LineItem.objects.get(quantity=QUANTITY)
    moved = sum(Movement.objects.filter(parent=source).values_list("copies", flat=True))
    assert (source.available, source.split) == (QUANTITY - moved, moved)
    call_command("verify_ledger")


if __name__ == "__main__":
    commands: dict[str, Callable] = {
        "split": split,
        "kill": kill,
        "strike": strike,
        "idle": idle,
        "check": check,
    }
    commands[sys.argv[1]](*map(int, sys.argv[2:]))
