"""The history of a line item or a device in sentences, newest first, as far as the reader may see it (A4, E11, E12)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import AuditEntry, User
from accounts.visibility import person_name, visible_names
from entitlements.items.movement_texts import movement_text
from entitlements.items.predicates import is_party
from entitlements.models import Activation, Device, LineItem, Movement, State
from entitlements.models.kinds import Action, MailKind
from entitlements.models.movement import ON_DEVICES
from notifications.models import Mail, Status

M = TypeVar("M", bound=Model)
EVENTS_A_PAGE = 50
CURSOR = re.compile(r"([mcl])(\d{1,18})")
MOVEMENTS, CHANGES, MAILS = "m", "c", "l"

MAIL_SENTENCES: dict[str, str | Promise] = {
    MailKind.ACTIVATION: gettext_lazy("The Activation ID was e-mailed to %(email)s."),
    MailKind.UNDONE: gettext_lazy("%(email)s was told by e-mail that copies were taken back."),
    MailKind.CAME_BACK: gettext_lazy("%(email)s was told by e-mail that copies came back."),
    MailKind.BULK_UNDONE: gettext_lazy("%(email)s was told by e-mail that a bulk split was undone."),
    MailKind.CORRECTED: gettext_lazy("%(email)s was told by e-mail that the quantity changed."),
}
BALANCES = {
    "quantity": gettext_lazy("quantity %(after)s (was %(before)s)"),
    "available": gettext_lazy("available %(after)s (was %(before)s)"),
    "split": gettext_lazy("split %(after)s (was %(before)s)"),
    "activated": gettext_lazy("activated %(after)s (was %(before)s)"),
}
DEVICE_CHANGES: dict[str, str | Promise] = {
    Action.DEVICE_ADDED: gettext_lazy("The device was added by hand."),
    Action.DEVICE_EDITED: gettext_lazy("The details of the device were changed."),
}
OTHER_MAIL_SENTENCE = gettext_lazy("An e-mail was sent to %(email)s.")


@dataclass(frozen=True)
class Event:
    """One event of the history; ``item`` is the key of another line item concerned, which the reader may open."""

    at: datetime
    text: str
    by: str = ""
    reason: str = ""
    item: int | None = None


@dataclass(frozen=True)
class Timeline:
    """Events, newest first; ``older`` is the cursor of the next page, "" where there is none."""

    events: list[Event]
    older: str


def timeline(actor: User, item: LineItem, after: str = "") -> Timeline:
    """Return movements, changes and, for parties, mails of a visible item; the number of queries is fixed (E11, E12).

    Each of the three is read in the order of its own keys from the end of the last page, so that no event is left out
    or repeated, however many happened at the same moment.
    """
    ends = {kind: int(pk) for kind, pk in CURSOR.findall(after)}
    movements = _movements(
        actor, Q(item=item) | Q(parent=item), EVENTS_A_PAGE + 1, before=ends.get(MOVEMENTS)
    )
    changes = list(_before(_changes(actor, item), ends.get(CHANGES)))
    mails = list(_before(item.mails.order_by("-id"), ends.get(MAILS))) if is_party(actor, item) else []
    people = {entry.actor.account_id for entry in changes if entry.actor}
    people |= {entry.details["account"] for entry in changes if entry.action == Action.SERVED_BY_CHANGED}
    names = visible_names(actor, _account_ids(movements) | people)
    found = [
        [(MOVEMENTS, row.pk, _movement_event(actor, row, names, seen_from=item.pk)) for row in movements],
        [(CHANGES, row.pk, _change_event(actor, item, row, names)) for row in changes],
        [(MAILS, row.pk, _mail_event(row)) for row in mails],
    ]
    return _merged(found, ends)


def device_timeline(actor: User, device: Device, after: str = "") -> Timeline:
    """Return the movements on a visible device of items whose party the actor is, and changes of its details (L1)."""
    ends = {kind: int(pk) for kind, pk in CURSOR.findall(after)}
    activations = Activation.objects.visible_to(actor).filter(device=device)
    movements = _movements(
        actor, Q(activation__in=activations), EVENTS_A_PAGE + 1, before=ends.get(MOVEMENTS)
    )
    entries = AuditEntry.objects.about(device).filter(action__in=DEVICE_CHANGES)
    changes = list(_before(entries.select_related("actor__account"), ends.get(CHANGES)))
    people = {entry.actor.account_id for entry in changes if entry.actor}
    names = visible_names(actor, _account_ids(movements) | people)
    found = [
        [(MOVEMENTS, row.pk, _movement_event(actor, row, names, seen_from=None)) for row in movements],
        [(CHANGES, row.pk, _device_event(actor, row, names)) for row in changes],
    ]
    return _merged(found, ends)


def _device_event(actor: User, entry: AuditEntry, names: dict[int, str]) -> Event:
    text = str(DEVICE_CHANGES[entry.action])
    return Event(
        at=entry.created_at, text=text, by=person_name(actor, entry.actor, names), reason=entry.reason
    )


def _merged(found: list[list[tuple[str, int, Event]]], ends: dict[str, int]) -> Timeline:
    merged = list(islice(merge(*found, key=lambda entry: entry[2].at, reverse=True), EVENTS_A_PAGE + 1))
    ends |= {kind: pk for kind, pk, _event in merged[:EVENTS_A_PAGE]}
    older = "".join(f"{kind}{pk}" for kind, pk in ends.items()) if len(merged) > EVENTS_A_PAGE else ""
    return Timeline(events=[event for _kind, _pk, event in merged[:EVENTS_A_PAGE]], older=older)


def _changes(actor: User, item: LineItem) -> QuerySet[AuditEntry]:
    """Return the audit entries that the history shows; only parties read who sent mails (E9)."""
    actions = [
        Action.STATE_CHANGED,
        Action.ACTIVATION_ID_REPLACED,
        Action.SERVED_BY_CHANGED,
        Action.BALANCES_REPAIRED,
    ]
    actions += [Action.MAILED] if is_party(actor, item) else []
    return AuditEntry.objects.about(item).filter(action__in=actions).select_related("actor__account")


def _before(rows: "QuerySet[M]", pk: int | None) -> "QuerySet[M]":
    return (rows if pk is None else rows.filter(pk__lt=pk))[: EVENTS_A_PAGE + 1]


def newest_events(actor: User, items: Iterable[LineItem], size: int) -> list[Event]:
    """Return the newest movements of some visible items, each described from the item that it filled or emptied."""
    movements = _movements(actor, Q(item__in=[item.pk for item in items]), size)
    names = visible_names(actor, _account_ids(movements))
    return [_movement_event(actor, movement, names, seen_from=None) for movement in movements]


def _movements(actor: User, concerned: Q, size: int, before: int | None = None) -> list[Movement]:
    visible = Movement.objects.filter(concerned, item__in=LineItem.objects.visible_to(actor))
    if before is not None:
        visible = visible.filter(pk__lt=before)
    related = visible.select_related("item__product", "parent", "actor__account", "activation__device")
    return list(related.order_by("-id")[:size])


def _account_ids(movements: Iterable[Movement]) -> set[int]:
    owners = {movement.item.owner_id for movement in movements} | {
        movement.actor.account_id for movement in movements if movement.actor
    }
    return owners | {movement.parent.owner_id for movement in movements if movement.parent}


def _bearer(movement: Movement) -> str:
    """Return "by the Activation ID" for an activation or return whose only proof was the Activation ID (L2)."""
    return _("by the Activation ID") if movement.kind in ON_DEVICES and movement.actor is None else ""


def _movement_event(
    actor: User, movement: Movement, names: dict[int, str], *, seen_from: int | None
) -> Event:
    other = movement.parent_id if seen_from == movement.item_id else movement.item_id
    visible = seen_from != movement.item_id or actor.account.is_mobotix or _owned_above(actor, movement)
    return Event(
        at=movement.created_at,
        text=movement_text(movement, names, with_device=is_party(actor, movement.item)),
        by=person_name(actor, movement.actor, names) or _bearer(movement),
        reason=movement.reason if is_party(actor, movement.item) else "",
        item=other if visible else None,
    )


def _owned_above(actor: User, movement: Movement) -> bool:
    """Return whether the reader's account owns the parent item or is in its chain, and so sees it (E12)."""
    parent = movement.parent
    return parent is not None and actor.account_id in (
        parent.owner_id,
        parent.distributor_id,
        parent.installer_id,
    )


def _change_event(actor: User, item: LineItem, entry: AuditEntry, names: dict[int, str]) -> Event:
    if entry.action == Action.MAILED:
        return _mailed_event(actor, entry, names)
    # the reason of a repair is the operator's command
    tells_reason = is_party(actor, item) and entry.action != Action.BALANCES_REPAIRED
    by, reason = person_name(actor, entry.actor, names), entry.reason if tells_reason else ""
    return Event(at=entry.created_at, text=_change_text(entry, names), by=by, reason=reason)


def _change_text(entry: AuditEntry, names: dict[int, str]) -> str:
    if entry.action == Action.ACTIVATION_ID_REPLACED:
        sentence = _("The Activation ID was replaced. The one before ended in %(tail)s.")
        return sentence % {"tail": entry.details["tail"]}
    if entry.action == Action.SERVED_BY_CHANGED:
        sentence = _("The account was transferred: %(account)s now looks after the line item.")
        return sentence % {"account": names[entry.details["account"]]}
    if entry.action == Action.BALANCES_REPAIRED:
        return _repaired_text(entry)
    states = {"before": entry.details.get("before"), "after": entry.details.get("after")}
    labels = {name: State(value).label for name, value in states.items() if value in State.values}
    return _("The state changed from “%(before)s” to “%(after)s”.") % ({"before": "–", "after": "–"} | labels)


def _repaired_text(entry: AuditEntry) -> str:
    """Return the sentence with the balances that did not follow from the movements, before and after (E11)."""
    before, after = entry.details["before"], entry.details["after"]
    changes = [
        BALANCES[name] % {"before": before[name], "after": after[name]}
        for name in BALANCES
        if before[name] != after[name]
    ]
    sentence = _("The balances were corrected from the movements: %(changes)s.")
    return sentence % {"changes": "; ".join(changes)}


def _mailed_event(actor: User, entry: AuditEntry, names: dict[int, str]) -> Event:
    """Return the event for View → Email: its sender, and the reason where MOBOTIX sent it (E13).

    The fate of each mail is an event of its own.
    """
    count = entry.details["count"]
    text = ngettext(
        "The Activation ID was sent to %(count)s address by View → Email.",
        "The Activation ID was sent to %(count)s addresses by View → Email.",
        count,
    )
    by = person_name(actor, entry.actor, names)
    return Event(at=entry.created_at, text=text % {"count": count}, by=by, reason=entry.reason)


def _mail_event(mail: Mail) -> Event:
    return Event(
        at=mail.sent_at or mail.created_at, text=_mail_sentence(mail) % {"email": mail.recipient_email}
    )


def _mail_sentence(mail: Mail) -> str:
    if mail.status == Status.SENT:
        return str(MAIL_SENTENCES.get(mail.kind, OTHER_MAIL_SENTENCE))
    if mail.status == Status.FAILED:
        return _("An e-mail to %(email)s failed.")
    if mail.status == Status.CANCELLED:
        return _("An e-mail to %(email)s was no longer needed.")
    return _("An e-mail to %(email)s is waiting to be sent.")
