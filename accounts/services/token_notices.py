"""Tell the admins of an account before one of its API tokens ends (P1)."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import ApiToken, User
from accounts.services.credentials import queue_user_mails
from mxportal.shared.days import today

TOKEN_ENDS = "accounts.token_ends"


def notify_ending_tokens() -> int:
    """Queue a mail to each admin for each token and each of API_TOKEN_NOTICE_DAYS. Return how many tokens."""
    told = 0
    for days in sorted(settings.API_TOKEN_NOTICE_DAYS):
        for pk in _ending_within(days).values_list("pk", flat=True):
            told += _tell(pk, days)
    return told


def _ending_within(days: int) -> QuerySet[ApiToken]:
    """Return tokens that end within so many days and whose admins were not told for this period."""
    untold = Q(days_told=None) | Q(days_told__gt=days)
    soon = ApiToken.objects.filter(untold, revoked_at=None, expires_on__gte=today())
    return soon.filter(expires_on__lte=today() + timedelta(days=days))


@transaction.atomic(durable=True)
def _tell(token_id: int, days: int) -> int:
    """Mark the token and queue its mails, both or neither; return 0 if another process did it."""
    if not _ending_within(days).filter(pk=token_id).update(days_told=days):
        return 0
    token = ApiToken.objects.get(pk=token_id)
    admins = User.objects.admins().filter(account=token.account_id).select_related("account")
    queue_user_mails((admin for admin in admins if admin.is_active), TOKEN_ENDS, token=token.pk)
    return 1
