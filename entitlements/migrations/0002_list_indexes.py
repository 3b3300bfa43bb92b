from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_search'),
        ('entitlements', '0001_initial'),
        ('notifications', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='lineitem',
            index=models.Index(fields=['serving_account', 'expires_on', 'id'], name='item_serving_expiry'),
        ),
        migrations.AddIndex(
            model_name='lineitem',
            index=models.Index(condition=models.Q(('state', 'deployed'), _negated=True), fields=['state', '-id'], name='item_rare_state'),
        ),
        migrations.AddIndex(
            model_name='lineitem',
            index=models.Index(condition=models.Q(('available__gt', 0), ('state', 'deployed')), fields=['owner', '-id'], name='item_to_hand_on'),
        ),
    ]
