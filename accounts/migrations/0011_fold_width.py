"""The folded keys of names and addresses are without width from now on, too (NFKC)."""

from typing import Any

from django.db import migrations
from django.db.models import Q

from mxportal.shared.fields import fold

NAME_KEY_LENGTH = 400


def fold_names(apps: Any, schema_editor: Any) -> None:
    """Only names that are not plain ASCII can change."""
    accounts = apps.get_model("accounts", "Account").objects
    for pk, name, key in accounts.filter(name__regex=r"[^ -~]").values_list("pk", "name", "name_key"):
        folded = fold(name)[:NAME_KEY_LENGTH]
        if folded != key:
            accounts.filter(pk=pk).update(name_key=folded)


def fold_addresses(apps: Any, schema_editor: Any) -> None:
    """A key that somebody else has by now stays as it is: who has it cannot log in until the address is changed."""
    users = apps.get_model("accounts", "User").objects
    rows = users.filter(email__regex=r"[^ -~]").values_list("pk", "account_id", "email", "email_key", "login")
    for pk, account, email, key, login in list(rows):
        folded = fold(email)
        taken = users.exclude(pk=pk).filter(Q(login=folded) | Q(account=account, email_key=folded)).exists()
        if folded != key and not taken:
            users.filter(pk=pk).update(email_key=folded, login=folded if login else None)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_attempts")]
    operations = [
        migrations.RunPython(fold_names, migrations.RunPython.noop),
        migrations.RunPython(fold_addresses, migrations.RunPython.noop),
    ]
