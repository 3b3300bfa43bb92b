"""Accounts and persons that a request names."""

from typing import Any

from django.http import HttpRequest

from accounts.models import Account, User
from mxportal.shared.fields import fold


def find_account(request: HttpRequest, account_id: str) -> Account:
    """Return the account. Raises Account.DoesNotExist if the token's person may not open it."""
    return Account.objects.visible_to(request.user).get(account_id__iexact=account_id)  # type: ignore[arg-type]


def find_buyer_ids(request: HttpRequest, account_id: str, email: str) -> tuple[int, int]:
    """Return the primary keys of an account and its contact, 0 for unknown ones: the service says what is wrong."""
    actor: Any = request.user
    account = Account.objects.visible_to(actor).filter(account_id__iexact=account_id).first()
    persons = User.objects.visible_to(actor).active().filter(account=account, email_key=fold(email))
    return account.pk if account else 0, persons.values_list("pk", flat=True).first() or 0
