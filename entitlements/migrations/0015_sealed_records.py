"""Records are sealed besides movements; what was there before is sealed by the task, not here."""

import django.db.models.deletion
from django.db import migrations, models


KINDS = {
    "item": ("entitlements", "LineItem"),
    "license": ("entitlements", "License"),
    "license-end": ("entitlements", "License"),
    "audit": ("accounts", "AuditEntry"),
}


def note_what_is_there(apps, schema_editor):
    """The sealing task seals the rows that are there already, some thousand at a time, after the upgrade."""
    backfill = apps.get_model("entitlements", "RecordBackfill")
    for kind, model in KINDS.items():
        if apps.get_model(*model).objects.exists():
            backfill.objects.create(kind=kind)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('entitlements', '0014_counted_return'),
    ]

    operations = [
        migrations.CreateModel(
            name='RecordBackfill',
            fields=[
                ('kind', models.CharField(max_length=20, primary_key=True, serialize=False)),
                ('position', models.BigIntegerField(default=0, help_text='Rows up to this number are sealed.')),
                ('last', models.BigIntegerField(help_text='Set when sealing begins.', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='SealedRecords',
            fields=[
                ('leaf', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='records', serialize=False, to='entitlements.ledgerleaf')),
                ('kind', models.CharField(max_length=20)),
                ('subjects', models.BinaryField()),
                ('hashes', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='UnsealedRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('subject', models.BigIntegerField(help_text="The row's number.")),
            ],
        ),
        migrations.AlterField(
            model_name='ledgerleaf',
            name='movement',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leaf', to='entitlements.movement'),
        ),
        migrations.RunPython(note_what_is_there, migrations.RunPython.noop),
    ]
