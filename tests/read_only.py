"""A database that takes no writes: as PostgreSQL is where an operator switched it so, and as a standby is."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

SWITCH = {
    "sqlite": "PRAGMA query_only = {}",
    "postgresql": "SET default_transaction_read_only = {}",
}


@contextmanager
def read_only() -> Iterator[None]:
    """This thread's connection reads, and writes nothing. For tests without a transaction of their own."""
    _switch("on")
    try:
        yield
    finally:
        _switch("off")


def _switch(state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SWITCH[connection.vendor].format(state))
