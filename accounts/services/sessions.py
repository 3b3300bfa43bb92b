"""Delete expired sessions, which would otherwise fill the table."""

from django.contrib.sessions.models import Session
from django.utils import timezone

DELETE_BATCH = 10_000


def drop_expired_sessions() -> int:
    """Delete expired sessions, some at a time, so that no lock lasts. Return how many."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    dropped = 0
    while keys := list(expired.values_list("pk", flat=True)[:DELETE_BATCH]):
        dropped += Session.objects.filter(pk__in=keys).delete()[0]
    return dropped
