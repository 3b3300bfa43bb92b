"""Rights of the application's own role on PostgreSQL: it owns nothing, and writes neither balances nor history.

Where DATABASE_OWNER_URL is set, `migrate` runs as the owner of the tables and then gives the role of DATABASE_URL what
the application needs (docs/operating.md, "Going live").
"""

from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models import AuditEntry
from entitlements.ledger.movements import ACTIVATION_WRITTEN_BY_TRIGGERS, WRITTEN_BY_TRIGGERS
from entitlements.models import (
    Activation,
    CountedReturn,
    Entitlement,
    LedgerHead,
    LedgerLeaf,
    LedgerNode,
    License,
    LineItem,
    Movement,
    SealedRecords,
    SigningKey,
    UnsealedMovement,
    UnsealedRecord,
)

# rows can be added and read, nothing else
APPEND_ONLY = (
    Movement,
    CountedReturn,
    AuditEntry,
    LedgerLeaf,
    LedgerNode,
    LedgerHead,
    SealedRecords,
)
NEVER_DELETED = (LineItem, Activation, License, Entitlement)
# never written by the application
BALANCES = {
    LineItem: WRITTEN_BY_TRIGGERS,
    Activation: ACTIVATION_WRITTEN_BY_TRIGGERS,
}
DELETE_ONLY = (UnsealedMovement, UnsealedRecord)  # the ledger's trigger adds the rows, sealing deletes them

RIGHTS = """
WITH here AS (SELECT oid, nspacl FROM pg_namespace WHERE nspname = current_schema())
SELECT 'schema', '', nspacl::text FROM here
UNION ALL SELECT relname, '', relacl::text FROM pg_class JOIN here ON here.oid = relnamespace
UNION ALL SELECT relname, attname, attacl::text FROM pg_attribute
  JOIN pg_class ON pg_class.oid = attrelid JOIN here ON here.oid = relnamespace WHERE attacl IS NOT NULL
ORDER BY 1, 2
"""


def grant(connection: BaseDatabaseWrapper, role: str) -> None:
    """Give the role rights on all rows, but none to change balances, movements or the schema."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema, to = quote(cursor.fetchone()[0]), quote(role)
        # only the owner creates and changes keys (entitlements.ledger.signing)
        keys = quote(SigningKey._meta.db_table)
        statements = [
            f"GRANT USAGE ON SCHEMA {schema} TO {to}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {to}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {to}",
            f"REVOKE INSERT, UPDATE, DELETE ON django_migrations, ledger_effect FROM {to}",
            f"REVOKE UPDATE, DELETE ON {_tables(connection, APPEND_ONLY)} FROM {to}",
            f"REVOKE INSERT, UPDATE ON {_tables(connection, DELETE_ONLY)} FROM {to}",
            f"REVOKE DELETE ON {_tables(connection, NEVER_DELETED)} FROM {to}",
            f"REVOKE INSERT, UPDATE, DELETE ON {keys} FROM {to}",
            f"GRANT UPDATE (id) ON {keys} TO {to}",  # locks need the right to some column; a trigger protects it
        ]
        for model, balances in BALANCES.items():
            table = quote(model._meta.db_table)
            written = [field for field in model._meta.concrete_fields if not field.generated]
            columns = ", ".join(quote(str(field.column)) for field in written if field.name not in balances)
            statements += [
                f"REVOKE UPDATE ON {table} FROM {to}",
                f"GRANT UPDATE ({columns}) ON {table} TO {to}",
            ]
        for statement in statements:
            cursor.execute(statement)


def make_role(connection: BaseDatabaseWrapper, role: str, password: str) -> None:
    """Create the application's role with its password where it does not exist; the owner needs CREATEROLE for this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {connection.ops.quote_name(role)} LOGIN PASSWORD %s", [password])


def grant_to_application(using: str = "default", **kwargs: Any) -> None:
    """Give the application's role its rights after the triggers are created (receiver of post_migrate).

    The rights change in one transaction, which is rolled back where they would stay the same.
    """
    connection, role = connections[using], settings.DATABASE_APP_ROLE
    if (
        role
        and connection.vendor == "postgresql"
        and LedgerHead._meta.db_table in connection.introspection.table_names()
    ):
        make_role(connection, role["USER"], role["PASSWORD"])
        with transaction.atomic(using=using):
            before = _rights(connection)
            grant(connection, role["USER"])
            transaction.set_rollback(_rights(connection) == before, using=using)


def _rights(connection: BaseDatabaseWrapper) -> list[tuple[Any, ...]]:
    """Return the rights of every role on schema, tables and columns."""
    with connection.cursor() as cursor:
        cursor.execute(RIGHTS)
        return cursor.fetchall()


def _tables(connection: BaseDatabaseWrapper, models: tuple[Any, ...]) -> str:
    return ", ".join(connection.ops.quote_name(model._meta.db_table) for model in models)
