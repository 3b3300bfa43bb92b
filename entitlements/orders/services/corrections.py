"""Correct quantities: raise an item that MOBOTIX issued, or lower any item and everything above it (E15)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry, Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.items.checks import MAX_COPIES, check_copies, require_reason
from entitlements.items.locks import lock_items
from entitlements.ledger.movements import record_movement, record_movements
from entitlements.mailing.services.changes import queue_correction_mails
from entitlements.models import LineItem, MovementKind, State
from entitlements.models.kinds import Action
from entitlements.orders.services.states import everything_below, make_obsolete
from mxportal.shared.refusals import refusal


class Correction(models.TextChoices):
    """What MOBOTIX can do to a quantity."""

    RAISE = "raise", gettext_lazy("Raise the quantity")
    LOWER = "lower", gettext_lazy("Lower the quantity")
    REVOKE_ALL = "revoke_all", gettext_lazy("Revoke all available copies, here and below")


@dataclass(frozen=True)
class Change:
    """By how many copies an item's quantity and its available copies change; both may be negative."""

    item: LineItem
    copies: int
    available: int

    @property
    def quantity_after(self) -> int:
        """Return the item's quantity after the change."""
        return self.item.quantity + self.copies

    @property
    def available_after(self) -> int:
        """Return the item's available copies after the change."""
        return self.item.available + self.available


@transaction.atomic(durable=True)
def change_quantity(
    *, actor: User, item_id: int, correction: Correction, key: str, reason: str, copies: int = 0
) -> LineItem:
    """Raise an issued item, or lower any item: copies go back level by level and are revoked at the issued item (E15).

    The contacts of all changed items are told. An item that falls to 0 copies becomes Obsolete. Raises
    LineItem.DoesNotExist, and ValidationError at ``item``, ``copies`` or ``reason``.
    """
    check_permission(actor, Permission.CORRECT_QUANTITIES)
    found = LineItem.objects.visible_to(actor).get(pk=item_id)
    family = lock_items(_family(found, correction))
    item = next(one for one in family if one.pk == item_id)
    request = {"item": item_id, "correction": correction, "copies": copies, "reason": reason}
    once = Operation.once(actor, key, "change_quantity", request)
    if once.result:
        return item
    require_reason(reason)
    changes = _plan(item, family, correction, copies)
    _write(actor, item, changes, reason)
    AuditEntry.objects.record(
        actor=actor,
        action=Action.QUANTITY_CHANGED,
        about=item,
        reason=reason,
        change=next(change.copies for change in changes if change.item == item),
    )
    queue_correction_mails([(change.item, change.copies) for change in changes])
    once.keep(item)
    item.refresh_from_db()
    return item


def preview_correction(*, item: LineItem, correction: Correction, copies: int = 0) -> list[Change]:
    """Return what ``change_quantity`` would change now, the issued item first. Raises ValidationError like it."""
    family = list(LineItem.objects.filter(pk__in=_family(item, correction)).order_by("pk"))
    return sorted(_plan(item, family, correction, copies), key=lambda change: change.item.pk)


def available_below(item: LineItem) -> tuple[int, int]:
    """Return how many copies "revoke all" would take, and from how many items."""
    holding = everything_below(item).filter(available__gt=0)
    below = holding.aggregate(copies=models.Sum("available", default=0), items=models.Count("pk"))
    return item.available + below["copies"], below["items"] + bool(item.available)


def _family(item: LineItem, correction: Correction) -> list[int]:
    """Return the primary keys of the item, the items above it and, for "revoke all", those below it."""
    above = LineItem.objects.filter(pk=item.pk).values_list("parent", "parent__parent").get()
    below: Iterable[int] = []
    if correction == Correction.REVOKE_ALL:
        below = everything_below(item).filter(quantity__gt=0).values_list("pk", flat=True)
    return [item.pk, *(pk for pk in above if pk), *below]


def _plan(item: LineItem, family: list[LineItem], correction: Correction, copies: int) -> list[Change]:
    """Return the change of every item concerned, each split before its source."""
    if correction == Correction.RAISE:
        _check_raise(item, copies)
        return [Change(item, copies, copies)]
    own = {item.pk: copies}
    if correction == Correction.REVOKE_ALL:
        own = {one.pk: one.available for one in family if one.pk >= item.pk}
        if not sum(own.values()):
            raise refusal(
                "nothing-available", {"item": _("No copies are available, so there is nothing to revoke.")}
            )
    else:
        check_copies(copies, item.available)
    if item.state == State.DRAFT and own[item.pk] == item.quantity:
        raise refusal(
            "draft-keeps-a-copy",
            {"copies": _("A draft keeps at least one copy. Leave it as a draft instead.")},
        )
    return list(_losses(family, own))


def _losses(family: list[LineItem], own: dict[int, int]) -> Iterable[Change]:
    """Yield what each item loses: the copies taken from itself and from everything split from it."""
    lost: defaultdict[int | None, int] = defaultdict(int)
    for one in reversed(family):
        from_itself = own.get(one.pk, 0)
        lost[one.pk] += from_itself
        if lost[one.pk]:
            lost[one.parent_id] += lost[one.pk]
            yield Change(one, -lost[one.pk], -from_itself)


def _check_raise(item: LineItem, copies: int) -> None:
    if item.parent_id is not None:
        raise refusal(
            "not-issued",
            {"item": _("Only a line item that MOBOTIX issued can be raised. Raise that one, then split it.")},
        )
    if item.state == State.OBSOLETE:
        raise refusal("obsolete", {"item": _("This line item is obsolete, and that is final.")})
    if copies < 1:
        raise refusal("too-few-copies", {"copies": _("Enter at least 1 copy.")})
    if item.quantity + copies > MAX_COPIES:
        message = _("Enter a quantity of at most %(most)s.")
        raise refusal("too-many-copies", {"copies": message % {"most": f"{MAX_COPIES - item.quantity:,}"}})


def _write(actor: User, item: LineItem, changes: list[Change], reason: str) -> None:
    """Write the movements from the lowest split up. Only the item and those below it show the reason (E12)."""
    if changes[0].copies > 0:
        record_movement(
            actor=actor, kind=MovementKind.ADJUST, item=item, copies=changes[0].copies, reason=reason
        )
        return
    back = [(change.item, -change.copies) for change in changes if change.item.parent_id is not None]
    for parts, why in (
        ([part for part in back if part[0].pk >= item.pk], reason),
        ([part for part in back if part[0].pk < item.pk], ""),
    ):
        record_movements(actor=actor, kind=MovementKind.UNDO, parts=parts, reason=why)
    issued = changes[-1]
    why = reason if issued.item == item else ""
    record_movement(
        actor=actor, kind=MovementKind.REVOKE, item=issued.item, copies=-issued.copies, reason=why
    )
    emptied = [change.item for change in changes if change.quantity_after == 0]
    make_obsolete(actor, [one for one in emptied if one.pk >= item.pk], reason)
    make_obsolete(actor, [one for one in emptied if one.pk < item.pk])
