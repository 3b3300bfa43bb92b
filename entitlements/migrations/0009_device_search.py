"""Trigram indexes for the search of devices, on PostgreSQL; SQLite has none, and reads its few thousand rows."""

from django.db import migrations, models

INDEXES = {
    "device_host_id_trigram": "UPPER(host_id) gin_trgm_ops",
    "device_name_trigram": "UPPER(name) gin_trgm_ops",
    "device_site_trigram": "UPPER(site) gin_trgm_ops",
}


def create_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, expression in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON entitlements_device USING gin ({expression})")


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_search"), ("entitlements", "0008_activation")]
    operations = [
        migrations.RunPython(create_indexes, drop_indexes),
        migrations.AddIndex(
            model_name="activation",
            index=models.Index(
                condition=models.Q(("copies__gt", 0)), fields=["item", "-id"], name="activation_held"
            ),
        ),
    ]
