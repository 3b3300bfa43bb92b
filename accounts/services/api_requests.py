"""Delete old entries of the API's log (P1, O4)."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import ApiRequest

DELETE_BATCH = 10_000


def drop_old_requests() -> int:
    """Delete entries older than API_LOG_DAYS, some at a time, so that no lock lasts. Return how many."""
    old = ApiRequest.objects.filter(at__lt=timezone.now() - timedelta(days=settings.API_LOG_DAYS))
    dropped = 0
    while pks := list(old.values_list("pk", flat=True)[:DELETE_BATCH]):
        dropped += ApiRequest.objects.filter(pk__in=pks).delete()[0]
    return dropped
