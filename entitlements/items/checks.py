"""Checks of what a service is asked to do with a line item (E3, E6, E13)."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem, State
from mxportal.shared.refusals import refusal

MAX_COPIES = 1_000_000_000  # of one line item: far beyond any order, far below what the columns hold


def check_reason(actor: User, item: LineItem, reason: str) -> None:
    """Check that MOBOTIX gives a reason where it acts on an item that another account sold (E13).

    Raises ValidationError at ``reason``.
    """
    if needs_reason(actor, item):
        require_reason(reason)


def require_reason(reason: str) -> None:
    """Check that a reason is given (E13).

    Raises ValidationError at ``reason``.
    """
    if not reason.strip():
        raise refusal(
            "reason-needed", {"reason": _("Enter why MOBOTIX does this. The reason is kept in the history.")}
        )


def split_obstacle(item: LineItem) -> str:
    """Return a sentence that says why nothing can be split off the item now; "" where it can (E3, E6)."""
    try:
        check_usable(item)
    except ValidationError as error:
        return error.messages[0]
    return "" if item.available else _("No copies of this line item are available any more.")


def check_usable(item: LineItem) -> None:
    """Check that the item is Deployed and not expired (E3).

    Raises ValidationError at ``item``.
    """
    if item.is_expired:
        raise refusal("expired", {"item": _("This line item has expired and can no longer be split.")})
    if item.state != State.DEPLOYED:
        message = _("This line item is in state “%(state)s”. Only deployed line items can be split.")
        raise refusal("not-deployed", {"item": message % {"state": State(item.state).label}})


def check_copies(copies: int, available: int) -> None:
    """Check that 1 ≤ copies ≤ available (E6).

    Raises ValidationError at ``copies``.
    """
    if copies < 1:
        raise refusal("too-few-copies", {"copies": _("Enter at least 1 copy.")})
    if copies > available:
        message = ngettext(
            "Only %(available)s copy is available now. Enter a smaller amount.",
            "Only %(available)s copies are available now. Enter a smaller amount.",
            available,
        )
        raise refusal("not-enough-copies", {"copies": message % {"available": available}})
