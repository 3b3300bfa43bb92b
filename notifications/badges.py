"""The badges of mails."""

from mxportal.shared.badges import register_choices
from notifications.models import Status

register_choices(
    {
        Status.QUEUED: "draft",
        Status.SENT: "deployed",
        Status.FAILED: "expired",
        Status.CANCELLED: "obsolete",
    }
)
