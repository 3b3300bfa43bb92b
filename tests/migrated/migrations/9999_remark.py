"""Changes the table of movements, and another beside it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("entitlements", "9998_fill")]
    operations = [
        migrations.AddField("movement", "remark", models.CharField(max_length=20, db_default="")),
        migrations.RunSQL("UPDATE entitlements_product SET part_number = part_number", migrations.RunSQL.noop),
        migrations.AddField("product", "remark", models.CharField(max_length=20, db_default="")),
    ]
