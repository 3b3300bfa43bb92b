from django.db import migrations, models

from entitlements.activation.formats.license_files import unpack


def fill(apps, schema_editor):
    License = apps.get_model("entitlements", "License")
    for license in License.objects.filter(digest="").iterator():
        License.objects.filter(pk=license.pk).update(digest=unpack(license.file).digest)


class Migration(migrations.Migration):
    dependencies = [
        ("entitlements", "0010_bulk_discarded"),
    ]

    operations = [
        migrations.AddField(
            model_name="license",
            name="digest",
            field=models.CharField(default="", help_text="SHA-256 of what is signed in the file.", max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="license",
            index=models.Index(fields=["digest"], name="license_by_file"),
        ),
    ]
