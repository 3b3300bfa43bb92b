"""Changes tables that have triggers; on SQLite they are made anew."""

from django.db import migrations, models

from tests.migrated.migrations import LEAF


class Migration(migrations.Migration):
    dependencies = [("entitlements", LEAF)]
    operations = [
        migrations.AddField("lineitem", "note", models.CharField(max_length=20, db_default="")),
        migrations.AlterField("lineitem", "note", models.CharField(max_length=30, db_default="")),
        migrations.AddField("activation", "note", models.CharField(max_length=20, db_default="")),
    ]
