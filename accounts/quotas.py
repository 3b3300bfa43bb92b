"""Limits for each person and hour on what costs the portal much (Q4)."""

from enum import StrEnum

from django.conf import settings

from accounts.models import User
from mxportal.shared.limits import Usage, count_up

HOUR = 3600


class Quota(StrEnum):
    """What is counted, each kind separately."""

    UPLOADS = "uploads"  # files of lines, and bulk splits
    MAILS = "mails"  # requests to send, each to several recipients
    DOCUMENTS = "documents"  # certificates and exports


class QuotaUsedUpError(Exception):
    """This person has used up a quota and has to wait ``left.seconds``."""

    def __init__(self, left: Usage) -> None:
        self.left = left
        super().__init__("a person's quota is used up")


def spend(actor: User, quota: Quota) -> None:
    """Count one more before the work begins (Q4). Raises QuotaUsedUpError."""
    most = {
        Quota.UPLOADS: settings.UPLOADS_AN_HOUR,
        Quota.MAILS: settings.MAILS_AN_HOUR,
        Quota.DOCUMENTS: settings.DOCUMENTS_AN_HOUR,
    }
    left = count_up(f"quota-{quota}", str(actor.pk), most=most[quota], seconds=HOUR)
    if left.is_exceeded:
        raise QuotaUsedUpError(left)
