"""Undo a whole bulk split: every part comes back, or none does and the reasons are named (E8)."""

from collections.abc import Callable, Sequence

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission, check_permission
from entitlements.items.checks import check_reason
from entitlements.items.locks import lock_items
from entitlements.items.predicates import may_undo, needs_reason
from entitlements.ledger.movements import record_movements
from entitlements.mailing.services.changes import queue_bulk_undone_mail
from entitlements.mailing.services.queue import queue_all_undo_mails
from entitlements.models import BulkSplit, BulkState, LineItem, MovementKind
from entitlements.orders.services.states import make_obsolete
from entitlements.splits.services.obstacles import undo_obstacle
from mxportal.shared.refusals import refusal


def undo_all(bulk: BulkSplit, *, progress: Callable[[int], None]) -> None:
    """Return all copies to their sources, under the locks: sources before their splits, each by pk (E8).

    Raises PermissionDenied and ValidationError; nothing has been written then.
    """
    actor = bulk.undone_by
    assert actor is not None
    check_permission(actor, Permission.UNDO_SPLIT)
    items = _lock(bulk)
    check_undo(actor, items, bulk.undo_reason)
    parts = [(item, item.quantity) for item in items]
    record_movements(actor=actor, kind=MovementKind.UNDO, parts=parts, reason=bulk.undo_reason)
    progress(len(items))
    make_obsolete(actor, items, bulk.undo_reason)
    queue_all_undo_mails(parts)
    queue_bulk_undone_mail(bulk, parts)
    bulk.state = BulkState.UNDONE
    bulk.save()


def items_with_copies(bulk: BulkSplit) -> list[LineItem]:
    """Return the items that still hold copies; the others were undone one by one."""
    return list(bulk.items.filter(quantity__gt=0).select_related("parent").order_by("pk"))


def _lock(bulk: BulkSplit) -> list[LineItem]:
    """Lock the items that still hold copies after their sources, and return them."""
    pairs = list(bulk.items.order_by("pk").values_list("pk", "parent"))
    locked = {item.pk: item for item in lock_items(pk for pair in pairs for pk in pair if pk)}
    items = [locked[pk] for pk, _parent in pairs if locked[pk].quantity]
    for item in items:
        item.parent = locked[item.parent_id or 0]
    return items


def blocked_items(actor: User, items: Sequence[LineItem]) -> list[LineItem]:
    """Return the items of which not all copies can come back."""
    return [item for item in items if item.available < item.quantity or undo_obstacle(actor, item)]


def check_undo(actor: User, items: Sequence[LineItem], reason: str) -> None:
    """Check that all copies can come back (E8, E13).

    Raises PermissionDenied, ValidationError (at ``reason`` if missing).
    """
    if not items:
        raise refusal("already-undone", _("All of its copies have already come back."))
    if not all(actor.account.is_mobotix or item.seller_id == actor.account_id for item in items):
        raise PermissionDenied
    if blocked_items(actor, items) or not all(may_undo(actor, item) for item in items):
        raise refusal(
            "undo-blocked", _("Not all copies can come back at the moment. See what stands in the way.")
        )
    asked = next((item for item in items if needs_reason(actor, item)), items[0])
    check_reason(actor, asked, reason)
