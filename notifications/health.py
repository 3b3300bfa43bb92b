"""Readiness checks of the outbox for /readyz."""

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from mxportal.shared.readiness import register_check
from notifications.mail_server import sender_is_accepted
from notifications.models import Mail


def mails_are_in_time() -> bool:
    """Return whether no mail has been due for long, so that worker, beat and sweep work (N1)."""
    late = Now() - timedelta(minutes=settings.MAIL_LATE_MINUTES)
    return not Mail.objects.due(late).exists()


register_check("mails", mails_are_in_time)
register_check("sender", sender_is_accepted)
