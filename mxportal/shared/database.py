"""Settings of a transaction in PostgreSQL."""

from django.conf import settings
from django.db import connection


def allow_long_statements() -> None:
    """Let a statement take DATABASE_BULK_STATEMENT_SECONDS, to the end of the caller's transaction."""
    if connection.vendor == "postgresql" and settings.DATABASE_STATEMENT_SECONDS:
        with connection.cursor() as cursor:
            limit = f"{settings.DATABASE_BULK_STATEMENT_SECONDS}s"
            cursor.execute("SET LOCAL statement_timeout = %s", [limit])
