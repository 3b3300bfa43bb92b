"""What `migrate` puts into a new database: the key that the ledger's heads are signed with (L6)."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from entitlements.ledger.signing import make_first_key
from entitlements.models import SigningKey


def make_signing_key(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Receiver of post_migrate, as the owner of the tables; nothing where the table is not yet that of this version."""
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
