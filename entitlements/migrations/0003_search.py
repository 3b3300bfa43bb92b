"""A trigram index for the search by order number, on PostgreSQL; SQLite has none, and reads its few thousand rows."""

from django.db import migrations


def create_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX entitlement_order_trigram ON entitlements_entitlement USING gin (UPPER(order_number) gin_trgm_ops)"
        )


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX entitlement_order_trigram")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_search"), ("entitlements", "0002_list_indexes")]
    operations = [migrations.RunPython(create_index, drop_index)]
