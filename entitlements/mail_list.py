"""The list of mails: whose mails a reader sees, what a row says of them, and the index by which a page is read (N2).

A partner's list is read along its account's entries (``mail_entry_once``), MOBOTIX's along the mails: by primary key,
``mail_not_sent`` for the few that are not sent, ``mail_by_kind``, ``mail_by_time``, ``mail_trigram`` for the search.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.utils.timezone import make_aware

from accounts.models import MailEntry, User
from accounts.permissions import Permission
from entitlements.listing import for_rows
from entitlements.models import LineItem
from entitlements.models.line_item import LineItemQuerySet
from entitlements.presentation import ItemRow, item_rows
from entitlements.services.resending import resendable
from notifications.models import Mail
from notifications.registry import kind_label


def _party_items(actor: User) -> LineItemQuerySet:
    """E5: the items whose mails the actor reads."""
    items = LineItem.objects.visible_to(actor)
    own = actor.account
    return items if own.is_mobotix else items.filter(Q(owner=own) | Q(seller=own) | Q(serving_account=own))


def _readable(actor: User, mail: str) -> Q:
    """Mails of the items that one is party to (E5), and for admins those of the persons whom they manage (U4)."""
    readable = Q(Exists(_party_items(actor).filter(mails=OuterRef(mail))))
    if actor.may(Permission.MANAGE_USERS):
        readable |= Q(Exists(User.objects.managed_by(actor).filter(mails=OuterRef(mail))))
    return readable


def _subject_readable(actor: User, mail: str) -> Q:
    """A4: a subject may name the seller, so it is read by who bought and who sold, and of the own people's mails."""
    own = actor.account
    items = LineItem.objects.visible_to(actor).filter(Q(owner=own) | Q(seller=own), mails=OuterRef(mail))
    people = User.objects.managed_by(actor).filter(account=own, mails=OuterRef(mail))
    return Q(Exists(items)) | Q(Exists(people))


@dataclass(frozen=True)
class MailList:
    """The rows of a list, to be paged by ``order``: mails, or entries of which each has a mail (``mail_of``)."""

    rows: QuerySet[Any]
    order: tuple[str, ...]
    mail_of: Callable[[Any], Mail]


def list_mails(
    *,
    actor: User,
    status: str | None = None,
    kind: str | None = None,
    q: str | None = None,
    since: date | None = None,
    until: date | None = None,
    item: int | None = None,
) -> MailList:
    """The mails that the actor sees, narrowed, newest first.

    ``since`` and ``until`` are days in the reader's time zone; ``item`` is a line item that the actor is party to.
    """
    if actor.account.is_mobotix:
        rows: QuerySet[Any] = Mail.objects.all()
        listing, mail, own = MailList(rows, ("-id",), lambda row: row), "pk", ""
    else:
        mail, own = "mail", "mail__"
        rows = MailEntry.objects.filter(_readable(actor, mail), account=actor.account).select_related("mail")
        listing = MailList(rows, ("-mail_id",), lambda row: row.mail)
    exact = {"status": status, "kind": kind, "line_items": item}
    rows = rows.filter(**{f"{own}{name}": value for name, value in exact.items() if value})
    if q:
        rows = rows.filter(_matches(actor, own, mail, q))
    if since:
        rows = rows.filter(**{f"{own}created_at__gte": _start_of(since)})
    if until:
        rows = rows.filter(**{f"{own}created_at__lt": _start_of(date.fromordinal(until.toordinal() + 1))})
    return MailList(rows, listing.order, listing.mail_of)


def party_item(actor: User, pk: int) -> ItemRow | None:
    """The line item whose mails are asked for, where the actor reads them (E5)."""
    return next(iter(item_rows(actor, for_rows(_party_items(actor)).filter(pk=pk))), None)


def _start_of(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


def _matches(actor: User, own: str, mail: str, text: str) -> Q:
    """Recipient or subject; the subject only where the reader may read it, else the search would tell."""
    recipient = Q((f"{own}recipient_email__icontains", text)) | Q((f"{own}recipient_name__icontains", text))
    subject = Q((f"{own}subject__icontains", text))
    return recipient | (subject if actor.account.is_mobotix else subject & _subject_readable(actor, mail))


@dataclass(frozen=True)
class MailRow:
    """One mail as one reader may see it. ``item`` is the newest of the ``items`` that it tells the reader of."""

    mail: Mail
    kind: str
    subject: str
    item: ItemRow | None
    items: int
    person: User | None
    may_send_again: bool

    @property
    def more_items(self) -> int:
        """Those beside the one that is named."""
        return self.items - 1


def mail_rows(actor: User, mails: Iterable[Mail]) -> list[MailRow]:
    """The rows of a page. A fixed number of queries."""
    mails = list(mails)
    page = Mail.objects.filter(pk__in=[mail.pk for mail in mails]).order_by()
    may_send = set(resendable(actor, page).values_list("pk", flat=True))
    named = page if actor.account.is_mobotix else page.filter(_subject_readable(actor, "pk"))
    with_subject = set(named.values_list("pk", flat=True))
    counts, items = _items_of(actor, mails)
    people = _people_of(actor, mails)
    return [
        MailRow(
            mail=mail,
            kind=kind_label(mail.kind),
            subject=mail.subject if mail.pk in with_subject else "",
            item=items.get(mail.pk),
            items=counts.get(mail.pk, 0),
            person=people.get(mail.pk),
            may_send_again=mail.pk in may_send,
        )
        for mail in mails
    ]


def _items_of(actor: User, mails: list[Mail]) -> tuple[dict[int, int], dict[int, ItemRow]]:
    """How many items each mail tells of, and the newest of them."""
    linked = _party_items(actor).filter(mails__in=mails).order_by().values("mails")
    found = list(linked.annotate(count=Count("pk"), newest=Max("pk")).values_list("mails", "count", "newest"))
    newest = for_rows(LineItem.objects.visible_to(actor)).filter(pk__in={pk for *_, pk in found})
    rows = {row.pk: row for row in item_rows(actor, newest)}
    return {mail: count for mail, count, _ in found}, {mail: rows[pk] for mail, _, pk in found if pk in rows}


def _people_of(actor: User, mails: list[Mail]) -> dict[int, User]:
    """The person whom each mail is kept with, where the actor manages it."""
    if not actor.may(Permission.MANAGE_USERS):
        return {}
    people = User.objects.managed_by(actor).filter(mails__in=mails).annotate(kept_mail=F("mails"))
    return {person.kept_mail: person for person in people}
