"""Sealing; what was moved before waits for its leaf like everything else."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('entitlements', '0004_ledger_kinds'),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerNode',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('hash', models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='UnsealedMovement',
            fields=[
                ('movement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='unsealed', serialize=False, to='entitlements.movement')),
            ],
        ),
        migrations.CreateModel(
            name='LedgerLeaf',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('salt', models.BinaryField(max_length=32)),
                ('hash', models.BinaryField(max_length=32)),
                ('movement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='leaf', to='entitlements.movement')),
            ],
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key_id', models.CharField(help_text='RFC 7638 thumbprint of the public key.', max_length=43, unique=True)),
                ('algorithm', models.CharField(default='Ed25519', max_length=10)),
                ('public_key', models.CharField(help_text='32 bytes in base64url, as a JWK has them.', max_length=43)),
                ('private_key', models.CharField(blank=True, help_text='A Fernet token.', max_length=255)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('retired_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('retired_at__isnull', True)), fields=('algorithm',), name='signing_key_one_active'), models.CheckConstraint(condition=models.Q(models.Q(('retired_at__isnull', True), models.Q(('private_key', ''), _negated=True)), models.Q(('private_key', ''), ('retired_at__isnull', False)), _connector='OR'), name='signing_key_retired_cannot_sign')],
            },
        ),
        migrations.CreateModel(
            name='LedgerHead',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('root', models.BinaryField(max_length=32)),
                ('sealed_at', models.DateTimeField()),
                ('previous', models.BinaryField(max_length=32)),
                ('signature', models.BinaryField(max_length=64)),
                ('key', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.signingkey')),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO entitlements_unsealedmovement (movement_id) SELECT id FROM entitlements_movement",
            migrations.RunSQL.noop,
        ),
    ]
