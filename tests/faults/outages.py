"""Faults that last: something is away, hangs, is full, or goes by a wrong clock, and then works again."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg2

from tests.faults.plan import Fault, Kind
from tests.faults.processes import wait_until

if TYPE_CHECKING:
    from tests.faults.system import System

HOUR = 3600
READ_ONLY = "ALTER DATABASE portal SET default_transaction_read_only = on"
WRITABLE = "ALTER DATABASE portal RESET default_transaction_read_only"
HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'portal'"
PIECE = 1024 * 1024


@contextmanager
def redis_away(system: "System", _fault: Fault) -> Iterator[None]:
    system.redis.kill()
    yield
    system.redis.start()


@contextmanager
def redis_full(system: "System", _fault: Fault) -> Iterator[None]:
    """It answers, and takes nothing more."""
    wait_until(lambda: system.redis.command("CONFIG SET maxmemory 1"), "Redis takes no command")
    yield
    wait_until(lambda: system.redis.command("CONFIG SET maxmemory 0"), "Redis takes no command")


@contextmanager
def mails_hang(system: "System", _fault: Fault) -> Iterator[None]:
    """The mail server takes connections, and says nothing from the sender on."""
    system.mails.hangs = True
    yield
    system.mails.hangs = False


@contextmanager
def postgres_stopped(system: "System", _fault: Fault) -> Iterator[None]:
    """Shut down in order, as for an upgrade."""
    system.postgres.shut_down()
    yield
    system.postgres.start()
    system.postgres.wait()


@contextmanager
def postgres_frozen(system: "System", _fault: Fault) -> Iterator[None]:
    """Its processes live, keep every connection, and say nothing, as on a machine that hangs."""
    thaw = system.postgres.freeze()
    yield
    thaw()
    system.postgres.wait()


@contextmanager
def read_only(system: "System", _fault: Fault) -> Iterator[None]:
    """As after a failover to a standby: all are hung up, and whoever comes back may only read."""
    _as_owner(system, READ_ONLY, HANG_UP)
    yield
    _as_owner(system, WRITABLE, HANG_UP)


@contextmanager
def disk_full(system: "System", _fault: Fault) -> Iterator[None]:
    """No space left, neither for tables nor for the log of transactions: a ballast takes what there is."""
    ballast = system.postgres.home / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * PIECE)
    _expect_full(system)
    yield
    ballast.unlink()
    system.postgres.wait()


def _expect_full(system: "System") -> None:
    """What is not full is no fault. A panic of PostgreSQL, which cannot write its log, is full as well."""
    try:
        _as_owner(system, "CREATE TABLE too_much AS SELECT repeat('x', 500) FROM generate_series(1, 100000)")
    except psycopg2.errors.DiskFull:
        return
    except psycopg2.Error as error:
        system.notes.append(f"the full disk: {' '.join(str(error).split())[:120]}")
        return
    system.broken.append("The disk of PostgreSQL was not full.")


@contextmanager
def second_beat(system: "System", _fault: Fault) -> Iterator[None]:
    """As while a new version is rolled out."""
    system.second_beat.start()
    yield
    system.second_beat.kill()


@contextmanager
def wrong_clock(system: "System", fault: Fault) -> Iterator[None]:
    """One part of the portal jumps an hour ahead or back, and returns."""
    parts = system.python_parts
    part, hours = parts[fault.which % len(parts)], 1 if fault.which // len(parts) % 2 else -1
    clock = system.clock_of(part.name)
    clock.write_text(str(hours * HOUR))
    system.notes.append(f"the clock of {part.name} jumped by {hours:+} h")
    yield
    clock.write_text("0")


OUTAGES = {
    Kind.REDIS_AWAY: redis_away,
    Kind.REDIS_FULL: redis_full,
    Kind.MAILS_HANG: mails_hang,
    Kind.POSTGRES_STOPPED: postgres_stopped,
    Kind.POSTGRES_FROZEN: postgres_frozen,
    Kind.READ_ONLY: read_only,
    Kind.DISK_FULL: disk_full,
    Kind.TWO_BEATS: second_beat,
    Kind.CLOCK: wrong_clock,
}


def _as_owner(system: "System", *statements: str) -> None:
    connection = psycopg2.connect(system.postgres.url("postgres", "postgres"), connect_timeout=5)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
