from django.db import migrations, models


class Migration(migrations.Migration):
    """One spelling: license."""

    dependencies = [
        ('entitlements', '0015_sealed_records'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='product', name='product_licence_model_known'),
        migrations.RenameField(model_name='product', old_name='licence_model', new_name='license_model'),
        migrations.AlterField(
            model_name='product',
            name='license_model',
            field=models.CharField(
                choices=[('perpetual', 'Perpetual'), ('term', 'Term')],
                default='perpetual',
                max_length=10,
                verbose_name='License model',
            ),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(
                condition=models.Q(license_model__in=['perpetual', 'term']), name='product_license_model_known'
            ),
        ),
    ]
