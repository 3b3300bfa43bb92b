"""E13: MOBOTIX says why it acts on what others sold."""

from django.utils.translation import gettext as _

from accounts.models import User
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem
from mxportal.shared.refusals import refusal


def check_reason(actor: User, item: LineItem, reason: str) -> None:
    """Raises ValidationError at ``reason`` where one is needed and none is given."""
    if needs_reason(actor, item):
        require_reason(reason)


def require_reason(reason: str) -> None:
    """Raises ValidationError at ``reason`` where none is given."""
    if not reason.strip():
        raise refusal(
            "reason-needed", {"reason": _("Say why MOBOTIX does this; the reason is kept in the history.")}
        )
