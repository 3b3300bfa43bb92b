"""Trigram indexes for the search of accounts, on PostgreSQL; SQLite has none, and reads its few thousand rows."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

INDEXES = {
    "account_name_trigram": "name_key gin_trgm_ops",
    "account_id_trigram": "UPPER(account_id) gin_trgm_ops",
}


def create_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, expression in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON accounts_account USING gin ({expression})")


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [TrigramExtension(), migrations.RunPython(create_indexes, drop_indexes)]
