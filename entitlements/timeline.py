"""The history of one line item, in sentences, newest first, as far as the reader may see it (A4, E11, E12)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import AuditEntry, User
from accounts.visibility import visible_names
from entitlements.models import LineItem, Movement, MovementKind, State
from entitlements.predicates import is_party
from entitlements.services.mailing import ACTIVATION, MAILED
from notifications.models import Mail, Status

SHOWN_OF_EACH = 100


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``item`` is the other line item that it concerns, where there is one to open."""

    at: datetime
    text: str
    by: str = ""
    reason: str = ""
    item: int | None = None


@dataclass(frozen=True)
class Timeline:
    """Events, newest first; ``capped`` where older ones are left out."""

    events: list[Event]
    capped: bool


def timeline(actor: User, item: LineItem) -> Timeline:
    """Movements, changes of state and, for parties, mails of a visible item. Its number of queries is fixed."""
    movements = _movements(actor, Q(item=item) | Q(parent=item), SHOWN_OF_EACH)
    changes = list(AuditEntry.objects.about(item).select_related("actor__account")[:SHOWN_OF_EACH])
    mails = list(item.mails.order_by("-id")[:SHOWN_OF_EACH]) if is_party(actor, item) else []
    names = visible_names(
        actor, _account_ids(movements) | {entry.actor.account_id for entry in changes if entry.actor}
    )
    events = [_movement_event(actor, movement, names, seen_from=item.pk) for movement in movements]
    events += [
        _change_event(actor, item, entry, names) for entry in changes if entry.action == "state_changed"
    ]
    events += [
        _mailed_event(actor, entry, names)
        for entry in changes
        if entry.action == MAILED and is_party(actor, item)
    ]
    events += [_mail_event(mail) for mail in mails]
    events.sort(key=lambda event: event.at, reverse=True)
    return Timeline(events=events, capped=SHOWN_OF_EACH in (len(movements), len(changes), len(mails)))


def newest_events(actor: User, items: Iterable[LineItem], size: int) -> list[Event]:
    """The newest movements of some visible items, each told from the item that it filled or emptied."""
    movements = _movements(actor, Q(item__in=[item.pk for item in items]), size)
    names = visible_names(actor, _account_ids(movements))
    return [_movement_event(actor, movement, names, seen_from=None) for movement in movements]


def _movements(actor: User, concerned: Q, size: int) -> list[Movement]:
    visible = Movement.objects.filter(concerned, item__in=LineItem.objects.visible_to(actor))
    related = visible.select_related("item__product", "parent", "actor__account")
    return list(related.order_by("-id")[:size])


def _account_ids(movements: Iterable[Movement]) -> set[int]:
    owners = {movement.item.owner_id for movement in movements} | {
        movement.actor.account_id for movement in movements
    }
    return owners | {movement.parent.owner_id for movement in movements if movement.parent}


def _by(actor: User, person: User | None, names: dict[int, str]) -> str:
    """Colleagues by their own name; others by their account's, as far as it may be read."""
    if person is None:
        return ""
    return str(person) if person.account_id == actor.account_id else names[person.account_id]


def _movement_event(
    actor: User, movement: Movement, names: dict[int, str], *, seen_from: int | None
) -> Event:
    other = movement.parent_id if seen_from == movement.item_id else movement.item_id
    visible = seen_from != movement.item_id or actor.account.is_mobotix or _owned_above(actor, movement)
    return Event(
        at=movement.created_at,
        text=_movement_text(movement, names),
        by=_by(actor, movement.actor, names),
        reason=movement.reason if is_party(actor, movement.item) else "",
        item=other if visible else None,
    )


def _owned_above(actor: User, movement: Movement) -> bool:
    """Whether the reader sees the item that this one was split from: who owns, sold or passed it on does (E12)."""
    parent = movement.parent
    return parent is not None and actor.account_id in (
        parent.owner_id,
        parent.distributor_id,
        parent.installer_id,
    )


def _movement_text(movement: Movement, names: dict[int, str]) -> str:
    values = {
        "copies": movement.copies,
        "owner": names[movement.item.owner_id],
        "product": movement.item.product.name,
        "source": names[movement.parent.owner_id] if movement.parent else "",
    }
    return _sentences(movement.copies)[MovementKind(movement.kind)] % values


def _sentences(copies: int) -> dict[MovementKind, str]:
    return {
        MovementKind.ISSUE: ngettext(
            "%(copies)s copy of %(product)s was issued to %(owner)s.",
            "%(copies)s copies of %(product)s were issued to %(owner)s.",
            copies,
        ),
        MovementKind.SPLIT: ngettext(
            "%(source)s split %(copies)s copy of %(product)s to %(owner)s.",
            "%(source)s split %(copies)s copies of %(product)s to %(owner)s.",
            copies,
        ),
        MovementKind.UNDO: ngettext(
            "%(copies)s copy of %(product)s went back from %(owner)s to %(source)s.",
            "%(copies)s copies of %(product)s went back from %(owner)s to %(source)s.",
            copies,
        ),
        MovementKind.ADJUST: ngettext(
            "MOBOTIX added %(copies)s copy of %(product)s.",
            "MOBOTIX added %(copies)s copies of %(product)s.",
            copies,
        ),
        MovementKind.REVOKE: ngettext(
            "MOBOTIX revoked %(copies)s copy of %(product)s.",
            "MOBOTIX revoked %(copies)s copies of %(product)s.",
            copies,
        ),
        MovementKind.ACTIVATE: ngettext(
            "%(copies)s copy of %(product)s was activated.",
            "%(copies)s copies of %(product)s were activated.",
            copies,
        ),
        MovementKind.RETURN: ngettext(
            "%(copies)s activated copy of %(product)s was returned.",
            "%(copies)s activated copies of %(product)s were returned.",
            copies,
        ),
    }


def _change_event(actor: User, item: LineItem, entry: AuditEntry, names: dict[int, str]) -> Event:
    states = {"before": entry.details.get("before"), "after": entry.details.get("after")}
    labels = {name: State(value).label for name, value in states.items() if value in State.values}
    text = _("The state changed from “%(before)s” to “%(after)s”.") % ({"before": "–", "after": "–"} | labels)
    reason = entry.reason if is_party(actor, item) else ""
    return Event(at=entry.created_at, text=text, by=_by(actor, entry.actor, names), reason=reason)


def _mailed_event(actor: User, entry: AuditEntry, names: dict[int, str]) -> Event:
    """Who sent the Activation ID by View → Email, and why where MOBOTIX did (E13); the mails' fates stand beside it."""
    count = entry.details["count"]
    text = ngettext(
        "The Activation ID was sent to %(count)s address by View → Email.",
        "The Activation ID was sent to %(count)s addresses by View → Email.",
        count,
    )
    by = _by(actor, entry.actor, names)
    return Event(at=entry.created_at, text=text % {"count": count}, by=by, reason=entry.reason)


def _mail_event(mail: Mail) -> Event:
    return Event(
        at=mail.sent_at or mail.created_at, text=_mail_sentence(mail) % {"email": mail.recipient_email}
    )


def _mail_sentence(mail: Mail) -> str:
    if mail.status == Status.SENT and mail.kind == ACTIVATION:
        return _("The Activation ID was e-mailed to %(email)s.")
    if mail.status == Status.SENT:
        return _("%(email)s was told by e-mail that copies were taken back.")
    if mail.status == Status.FAILED:
        return _("An e-mail to %(email)s failed.")
    if mail.status == Status.CANCELLED:
        return _("An e-mail to %(email)s was not needed any more.")
    return _("An e-mail to %(email)s waits to be sent.")
