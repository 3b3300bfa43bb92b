"""E8: why copies cannot come back, in sentences, as far as the reader may see it."""

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.visibility import visible_names
from entitlements.models import LineItem, State
from entitlements.predicates import may_hand_back, may_undo, sells, undo_ends_at, undo_is_over
from entitlements.presentation import shown_activation_id
from entitlements.services.activation import check_can_be_activated

NAMED_AT_MOST = 5


def undo_notes(actor: User, item: LineItem) -> list[str]:
    """What stands in the way of taking all copies of a split back; nothing for who has no part in it."""
    sold_by_actor = sells(actor, item)
    if (
        item.parent_id is None
        or item.state == State.OBSOLETE
        or not (sold_by_actor or actor.account.is_mobotix)
    ):
        return []
    notes = []
    if sold_by_actor and undo_is_over(item) and not actor.account.is_mobotix:
        notes.append(_days_are_over(item))
    return notes + split_notes(actor, item) + _activation_notes(item)


def undo_obstacle(actor: User, item: LineItem) -> str:
    """Why this reader, a party of the item, cannot take copies back at all, and whom to ask; "" where it can."""
    if item.parent_id is None:
        return _("This line item was not split off another one, so there is no split to undo.")
    if item.state == State.OBSOLETE:
        return _("This line item is obsolete, and that is final: no copies come back from it.")
    if may_undo(actor, item) or may_hand_back(actor, item):
        return source_obstacle(item)
    if item.seller_id == actor.account_id and not sells(actor, item):
        return _("MOBOTIX has moved this customer to another seller. Ask MOBOTIX to undo this split.")
    if not sells(actor, item):
        return _("Only the account that made this split can undo it. Ask it, or ask MOBOTIX.")
    return _days_are_over(item)


def activation_obstacle(item: LineItem) -> str:
    """L2: why no copies of the item can be put on a device; "" where they can."""
    try:
        check_can_be_activated(item)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def source_obstacle(item: LineItem) -> str:
    """E3: copies that came back to an obsolete item would be stranded there; "" where the source takes them."""
    if item.parent is None or item.parent.state != State.OBSOLETE:
        return ""
    return _(
        "The line item that these copies came from is obsolete, so they cannot go back to it. Ask MOBOTIX."
    )


def _days_are_over(item: LineItem) -> str:
    sentence = _(
        "The days within which this split could be undone ended on %(date)s. Ask MOBOTIX to undo it, "
        "or ask the buyer to hand the copies back."
    )
    return sentence % {"date": date_format(localtime(undo_ends_at(item)), "SHORT_DATE_FORMAT")}


def split_notes(actor: User, item: LineItem) -> list[str]:
    """The further splits of an item that hold copies, newest first; the rest in one sentence."""
    if not item.split:
        return []
    further = LineItem.objects.visible_to(actor).filter(parent=item, quantity__gt=0)
    named = list(further.order_by("-id")[:NAMED_AT_MOST])
    names = visible_names(actor, [split.owner_id for split in named])
    notes = [_split_note(actor, split, names[split.owner_id]) for split in named]
    rest = item.split - sum(split.quantity for split in named)
    if rest:
        sentence = ngettext(
            "%(copies)s further copy was split on as well.",
            "%(copies)s further copies were split on as well.",
            rest,
        )
        notes.append(sentence % {"copies": rest})
    return notes


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
