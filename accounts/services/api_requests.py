"""P1: the log of the API does not grow for ever."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import ApiRequest

DELETE_BATCH = 10_000


def drop_old_requests() -> int:
    """Delete what is older than API_LOG_DAYS, a part at a time, so that no lock lasts. Returns how many."""
    old = ApiRequest.objects.filter(at__lt=timezone.now() - timedelta(days=settings.API_LOG_DAYS))
    dropped = 0
    while pks := list(old.values_list("pk", flat=True)[:DELETE_BATCH]):
        dropped += ApiRequest.objects.filter(pk__in=pks).delete()[0]
    return dropped
