"""What the commands that change signing keys have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import ProgrammingError

NO_RIGHT = "42501"  # PostgreSQL's insufficient_privilege


@contextmanager
def as_owner_of_keys() -> Iterator[None]:
    """Turn a missing right into a CommandError that says that only the owner of the tables may change signing keys."""
    try:
        yield
    except ProgrammingError as error:
        if getattr(error.__cause__, "pgcode", "") != NO_RIGHT:
            raise
        raise CommandError(
            "The role of DATABASE_URL may not change signing keys. Run this with DATABASE_OWNER_URL, like migrate."
        ) from error
