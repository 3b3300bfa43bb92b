"""Indexes of the list of mails; those of its search are trigrams, on PostgreSQL only (SQLite reads its few thousand rows)."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

SEARCHED = ("recipient_email", "recipient_name", "subject")


def create_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        columns = ", ".join(f"UPPER({column}) gin_trgm_ops" for column in SEARCHED)
        schema_editor.execute(f"CREATE INDEX mail_trigram ON notifications_mail USING gin ({columns})")


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX mail_trigram")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_request_id")]

    operations = [
        migrations.RemoveIndex(model_name="mail", name="mail_failed"),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("status", "sent"), _negated=True), fields=["status", "-id"], name="mail_not_sent"
            ),
        ),
        migrations.AddIndex(model_name="mail", index=models.Index(fields=["kind", "-id"], name="mail_by_kind")),
        migrations.AddIndex(model_name="mail", index=models.Index(fields=["created_at"], name="mail_by_time")),
        TrigramExtension(),
        migrations.RunPython(create_index, drop_index),
    ]
