"""Sentences that say why copies of a split cannot come back, as far as the reader may see the reasons (E8)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Window
from django.db.models.functions import RowNumber
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.visibility import visible_names
from entitlements.items.predicates import may_hand_back, may_undo, sells, undo_ends_at, undo_is_over
from entitlements.items.rows import shown_activation_id
from entitlements.models import LineItem, State

MAX_NAMED_SPLITS = 5


def undo_notes(actor: User, item: LineItem) -> list[str]:
    """Return sentences that say why not all copies of a split can come back; none for readers who cannot undo it."""
    return all_undo_notes(actor, [item])[item.pk]


def all_undo_notes(actor: User, items: Sequence[LineItem]) -> dict[int, list[str]]:
    """Return ``undo_notes`` of many items by primary key, in two queries."""
    splits = _split_notes(actor, [item for item in items if _takes_part(actor, item)])
    return {
        item.pk: _days_notes(actor, item) + splits[item.pk] + _activation_notes(item)
        if item.pk in splits
        else []
        for item in items
    }


def _takes_part(actor: User, item: LineItem) -> bool:
    is_split = item.parent_id is not None and item.state != State.OBSOLETE
    return is_split and (sells(actor, item) or actor.account.is_mobotix)


def _days_notes(actor: User, item: LineItem) -> list[str]:
    late = undo_is_over(item) and not actor.account.is_mobotix
    return [_days_are_over(item)] if late else []


def undo_obstacle(actor: User, item: LineItem) -> str:
    """Say why this reader, a party of the item, cannot undo the split at all, and whom to ask; "" if the reader can."""
    if item.parent_id is None:
        return _("This line item was not split from another one, so there is no split to undo.")
    if item.state == State.OBSOLETE:
        return _("This line item is obsolete, and that is final: no copies come back from it.")
    if may_undo(actor, item) or may_hand_back(actor, item):
        return source_obstacle(item)
    if item.seller_id == actor.account_id and not sells(actor, item):
        return _("MOBOTIX has transferred this customer to another seller. Ask MOBOTIX to undo this split.")
    if not sells(actor, item):
        return _("Only the account that made this split can undo it. Ask that account or MOBOTIX.")
    return _days_are_over(item)


def source_obstacle(item: LineItem) -> str:
    """Say that the source is obsolete, so that copies would be stranded on it; "" if it takes them back (E3)."""
    if item.parent is None or item.parent.state != State.OBSOLETE:
        return ""
    return _(
        "The line item that these copies came from is obsolete, so they cannot go back to it. Ask MOBOTIX."
    )


def _days_are_over(item: LineItem) -> str:
    sentence = _(
        "The period for undoing this split ended on %(date)s. Ask MOBOTIX to undo it, or ask the "
        "buyer to hand the copies back."
    )
    return sentence % {"date": date_format(localtime(undo_ends_at(item)), "SHORT_DATE_FORMAT")}


def _split_notes(actor: User, items: Sequence[LineItem]) -> dict[int, list[str]]:
    """Return one sentence for each of an item's newest splits that hold copies, and one for all others, by item."""
    named = _newest_splits(actor, [item for item in items if item.split])
    names = visible_names(actor, [split.owner_id for splits in named.values() for split in splits])
    return {
        item.pk: [_split_note(actor, split, names[split.owner_id]) for split in named[item.pk]]
        + _rest_notes(item, named[item.pk])
        for item in items
    }


def _newest_splits(actor: User, items: Sequence[LineItem]) -> dict[int | None, list[LineItem]]:
    found: dict[int | None, list[LineItem]] = defaultdict(list)
    if not items:
        return found
    further = LineItem.objects.visible_to(actor).filter(parent__in=items, quantity__gt=0)
    place = Window(RowNumber(), partition_by="parent", order_by="-id")
    for split in further.annotate(place=place).filter(place__lte=MAX_NAMED_SPLITS).order_by("-id"):
        found[split.parent_id].append(split)
    return found


def _rest_notes(item: LineItem, named: Iterable[LineItem]) -> list[str]:
    rest = item.split - sum(split.quantity for split in named)
    if not rest:
        return []
    sentence = ngettext(
        "%(copies)s more copy was also split.",
        "%(copies)s more copies were also split.",
        rest,
    )
    return [sentence % {"copies": rest}]


def _split_note(actor: User, split: LineItem, owner: str) -> str:
    sentence = ngettext(
        "%(copies)s copy was split further to %(owner)s (%(activation_id)s) and must come back from there first.",
        "%(copies)s copies were split further to %(owner)s (%(activation_id)s) and must come back from there first.",
        split.quantity,
    )
    return sentence % {
        "copies": split.quantity,
        "owner": owner,
        "activation_id": shown_activation_id(actor, split),
    }


def _activation_notes(item: LineItem) -> list[str]:
    if not item.activated:
        return []
    sentence = ngettext(
        "%(copies)s copy is activated on a device.",
        "%(copies)s copies are activated on devices.",
        item.activated,
    )
    return [sentence % {"copies": item.activated}]
