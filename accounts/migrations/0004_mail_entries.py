"""The lists of mails, filled with the mails that are there."""

import django.db.models.deletion
from django.db import migrations, models

PARTIES = ("owner_id", "seller_id", "serving_account_id")


def fill(apps, schema_editor):
    """Mails of line items for their parties, those of persons for their accounts and these accounts' sellers."""
    of_items = [
        f"""SELECT item.{party} AS account_id, link.mail_id FROM entitlements_lineitem_mails link
        JOIN entitlements_lineitem item ON item.id = link.lineitem_id WHERE item.{party} IS NOT NULL"""
        for party in PARTIES
    ]
    of_persons = """SELECT person.account_id, link.mail_id FROM accounts_user_mails link
        JOIN accounts_user person ON person.id = link.user_id"""
    of_buyers = """SELECT relation.seller_id, link.mail_id FROM accounts_user_mails link
        JOIN accounts_user person ON person.id = link.user_id
        JOIN accounts_sellingrelation relation ON relation.buyer_id = person.account_id
        WHERE relation.status = 'accepted'"""
    entries = " UNION ".join([*of_items, of_persons, of_buyers])
    schema_editor.execute(f"INSERT INTO accounts_mailentry (account_id, mail_id) {entries}")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_login_when_active"),
        ("entitlements", "0003_search"),
        ("notifications", "0004_mail_list"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.account")),
                ("mail", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="notifications.mail")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "mail"), name="mail_entry_once")],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
