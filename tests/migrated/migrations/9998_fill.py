"""A step without a transaction of its own, as long ones have to be."""

from django.db import migrations


def fill(apps, schema_editor):
    items = apps.get_model("entitlements", "LineItem").objects.filter(note="")
    for pk in items.values_list("pk", flat=True)[:5]:
        items.filter(pk=pk).update(note="filled")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("entitlements", "9997_note")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
