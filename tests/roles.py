"""On PostgreSQL, tests run as the application's role, which owns no table; what is about tables runs as their owner."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from entitlements.ledger import signing
from entitlements.ledger.grants import grant, make_role
from entitlements.models import SigningKey

APPLICATION = "portal_test_application"


def become_application(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of connection_created: from now on this connection has the application's rights only."""
    _run(connection, f"SET ROLE {APPLICATION}")


def become_owner(connection: BaseDatabaseWrapper) -> None:
    """Back to who made the tables."""
    _run(connection, "RESET ROLE")


def _run(connection: BaseDatabaseWrapper, statement: str) -> None:
    """Past Django, so that no test which counts queries counts it, whenever a connection happens to be opened anew."""
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        with connection.connection.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def as_owner() -> Iterator[None]:
    """For a test that takes triggers away or writes what the application may not."""
    become_owner(connection)
    yield
    become_application(connection)


def refused(sql: str, *parameters: object) -> str:
    """Run SQL that must be refused: to the application, and by a trigger to the owner of the tables as well.

    Returns what the trigger says.
    """
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    with (
        as_owner(),
        pytest.raises(IntegrityError) as error,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, parameters)
    return str(error.value)


def separate() -> None:
    """Make the role, give it what `migrate` gives, and take it on every connection."""
    from django.apps import apps

    if connection.vendor != "postgresql":
        return
    with suppress(DatabaseError):  # the role is the cluster's: another run may make it at this moment
        make_role(connection, APPLICATION, "only-for-tests")
    grant(connection, APPLICATION)
    connection_created.connect(become_application)
    become_application(connection)
    # after a flush, when the triggers stand again
    post_migrate.connect(_after_flush, sender=apps.get_app_config("entitlements"), weak=False)


def _after_flush(using: str = "default", **kwargs: Any) -> None:
    become_application(connection)


def unite() -> None:
    """The owner again, who may drop the database."""
    connection_created.disconnect(become_application)
    become_owner(connection)


def rotate_signing_key() -> SigningKey:
    """L6: as the owner of the tables, who alone may."""
    with as_owner():
        return signing.rotate_signing_key()
