"""Undo a split: copies return from the buyer's item to the item that they were split from (E8)."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.items.checks import check_copies, check_reason
from entitlements.items.locks import lock_with_parent
from entitlements.items.predicates import may_hand_back, may_undo
from entitlements.ledger.movements import record_movement
from entitlements.mailing.services.changes import queue_came_back_mail
from entitlements.mailing.services.queue import queue_undo_mails
from entitlements.models import LineItem, MovementKind, State
from entitlements.orders.services.states import make_obsolete
from entitlements.splits.services.obstacles import source_obstacle
from mxportal.shared.refusals import refusal


@transaction.atomic(durable=True)
def undo_split(*, actor: User, item_id: int, copies: int, key: str, reason: str = "") -> LineItem:
    """Return copies from a buyer's item to its source, and tell who had the mail and who gets the copies (E8).

    The seller takes copies back and the buyer hands them back by this same service. It works for inactive and expired
    items, but not for obsolete ones, which are final (E3). An item that falls to 0 copies becomes Obsolete. Raises
    LineItem.DoesNotExist, PermissionDenied, and ValidationError at ``item``, ``copies`` or ``reason``.
    """
    check_permission(actor, Permission.UNDO_SPLIT)
    item = lock_with_parent(actor, item_id)
    request = {"item": item_id, "copies": copies, "reason": reason}
    once = Operation.once(actor, key, "undo_split", request)
    if once.result:
        return item
    if not (may_undo(actor, item) or may_hand_back(actor, item)):
        raise PermissionDenied
    check_not_obsolete(item)
    check_source(item)
    check_reason(actor, item, reason)
    check_copies(copies, item.available)
    movement = record_movement(actor=actor, kind=MovementKind.UNDO, item=item, copies=copies, reason=reason)
    item.refresh_from_db()
    if item.quantity == 0:
        make_obsolete(actor, [item], reason)
    queue_undo_mails(item=item, copies=copies)
    queue_came_back_mail(movement)
    once.keep(item)
    return item


def check_not_obsolete(item: LineItem) -> None:
    """Refuse an obsolete item, because that state is final (E3). Raises ValidationError at ``item``."""
    if item.state == State.OBSOLETE:
        raise refusal(
            "obsolete",
            {"item": _("This line item is obsolete, and that is final: no copies come back from it.")},
        )


def check_source(item: LineItem) -> None:
    """Refuse an obsolete source: copies that came back to it would be stranded (E3).

    Raises ValidationError at ``item``.
    """
    if obstacle := source_obstacle(item):
        raise refusal("source-obsolete", {"item": obstacle})
