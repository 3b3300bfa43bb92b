from datetime import timedelta

from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def let_them_end(apps, schema_editor):
    """Tokens without an end get a year from now, so that their admins are told in time."""
    end = timezone.localdate(timezone=timezone.get_default_timezone()) + timedelta(days=settings.API_TOKEN_DAYS)
    apps.get_model('accounts', 'ApiToken').objects.filter(expires_on=None).update(expires_on=end)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_kept_answers'),
    ]

    operations = [
        migrations.RunPython(let_them_end, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='apitoken',
            name='expires_on',
            field=models.DateField(verbose_name='Valid until'),
        ),
    ]
