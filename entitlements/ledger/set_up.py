"""The first signing key, which `migrate` puts into a new database (L6)."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from entitlements.ledger.signing import make_first_key
from entitlements.models import SigningKey


def make_signing_key(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Create the first signing key as the owner of the tables (L6; receiver of post_migrate).

    Does nothing where the table is not yet the one of this version.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if using != DEFAULT_DB_ALIAS or SigningKey._meta.db_table not in tables:
            return
        description = connection.introspection.get_table_description(cursor, SigningKey._meta.db_table)
    if {column.name for column in description} >= {
        field.column for field in SigningKey._meta.concrete_fields
    }:
        make_first_key()
