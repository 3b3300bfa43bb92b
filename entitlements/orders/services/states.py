"""Change the state of a line item, or of an item and everything split from it (E3)."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.activation.services.licenses import end_licenses
from entitlements.items.checks import check_reason
from entitlements.items.locks import lock_items
from entitlements.models import LineItem, State
from entitlements.models.kinds import Action
from mxportal.shared.refusals import refusal

ITEMS_PER_STATEMENT = 500  # items in one statement
ALLOWED_CHANGES = {
    State.DRAFT: (State.DEPLOYED,),  # not Obsolete: its owner would see an item that was never deployed
    State.DEPLOYED: (State.INACTIVE, State.OBSOLETE),
    State.INACTIVE: (State.DEPLOYED, State.OBSOLETE),
    State.OBSOLETE: (),
}


@transaction.atomic(durable=True)
def change_state(
    *, actor: User, item_id: int, state: State, key: str, with_splits: bool = False, reason: str = ""
) -> LineItem:
    """Change the state of one item; with ``with_splits``, also of every item below it that allows the same change (E3).

    Raises LineItem.DoesNotExist, and ValidationError at ``state`` or ``reason``.
    """
    check_permission(actor, Permission.CHANGE_STATES)
    item = LineItem.objects.visible_to(actor).for_update().get(pk=item_id)
    request = {"item": item_id, "state": state, "with_splits": with_splits, "reason": reason}
    once = Operation.once(actor, key, "change_state", request)
    if once.result:
        return item
    check_reason(actor, item, reason)
    if state not in ALLOWED_CHANGES[State(item.state)]:
        message = _("A line item in state “%(before)s” cannot become “%(after)s”.")
        raise refusal(
            "state-not-possible",
            {"state": message % {"before": State(item.state).label, "after": state.label}},
        )
    _set_state(actor, item, state, reason)
    below = everything_below(item).values_list("pk", flat=True) if with_splits else []
    for split in lock_items(below):
        if state in ALLOWED_CHANGES[State(split.state)]:
            _set_state(actor, split, state, reason)
    once.keep(item)
    return item


def everything_below(item: LineItem) -> QuerySet[LineItem]:
    """Return the items that were split from the item and from its splits, which is all that the chain allows.

    Selected by ids, so that each half of the union uses its index.
    """
    splits = LineItem.objects.filter(parent=item).values("pk")
    of_these = LineItem.objects.filter(parent__parent=item).values("pk")
    return LineItem.objects.filter(pk__in=splits.union(of_these, all=True))


def _set_state(actor: User, item: LineItem, state: State, reason: str) -> None:
    before, item.state = item.state, state
    item.save(update_fields=["state"])
    if state == State.OBSOLETE:
        end_licenses(item)
    AuditEntry.objects.record(
        actor=actor, action=Action.STATE_CHANGED, about=item, reason=reason, before=before, after=state.value
    )


def make_obsolete(actor: User, items: Iterable[LineItem], reason: str = "") -> None:
    """Set items that hold no copies any more to Obsolete, in a few statements for any number of items (E8, E15)."""
    emptied = [item for item in items if item.state != State.OBSOLETE]
    for before in {item.state for item in emptied}:
        changed = [item for item in emptied if item.state == before]
        for start in range(0, len(changed), ITEMS_PER_STATEMENT):
            ids = [item.pk for item in changed[start : start + ITEMS_PER_STATEMENT]]
            LineItem.objects.filter(pk__in=ids).update(state=State.OBSOLETE)
        AuditEntry.objects.record_many(
            actor=actor,
            action=Action.STATE_CHANGED,
            about=changed,
            reason=reason,
            before=before,
            after=State.OBSOLETE.value,
        )
    for item in emptied:
        item.state = State.OBSOLETE
