"""E13: MOBOTIX says why it acts on what others sold."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem, State
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


def split_obstacle(item: LineItem) -> str:
    """Why nothing can be split off the item now, as a sentence; "" where it can (E3, E6)."""
    try:
        check_usable(item)
    except ValidationError as error:
        return error.messages[0]
    return "" if item.available else _("No copies of this line item are available any more.")


def check_usable(item: LineItem) -> None:
    """E3: deployed and not expired. Raises ValidationError at ``item``."""
    if item.is_expired:
        raise refusal(
            "expired", {"item": _("This line item has expired; nothing can be split off it any more.")}
        )
    if item.state != State.DEPLOYED:
        message = _("This line item is in state “%(state)s”. Only deployed line items can be split.")
        raise refusal("not-deployed", {"item": message % {"state": State(item.state).label}})


def check_copies(copies: int, available: int) -> None:
    """1 ≤ copies ≤ available. Raises ValidationError at ``copies``."""
    if copies < 1:
        raise refusal("too-few-copies", {"copies": _("Enter at least 1 copy.")})
    if copies > available:
        message = ngettext(
            "Only %(available)s copy is available now. Enter a smaller amount.",
            "Only %(available)s copies are available now. Enter a smaller amount.",
            available,
        )
        raise refusal("not-enough-copies", {"copies": message % {"available": available}})
