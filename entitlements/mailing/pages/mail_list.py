"""The list of mails: whose mails a reader sees, what a row shows, and the indexes by which a page is read (N2).

A partner's list is read along its account's entries (``mail_entry_once``), MOBOTIX's along the mails: by primary key,
``mail_not_sent`` for the few that are not sent, ``mail_by_kind``, ``mail_by_time``, ``mail_trigram`` for the search.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.utils.timezone import make_aware

from accounts.models import MailEntry, User
from accounts.permissions import Permission
from accounts.services.credentials import PASSWORD_RESET
from entitlements.items.listing import for_rows
from entitlements.items.rows import ItemRow, item_rows
from entitlements.mailing.services.addressees import with_addressees
from entitlements.mailing.services.resending import resendable
from entitlements.models import LineItem
from entitlements.models.activation import is_party_condition
from entitlements.models.line_item import LineItemQuerySet
from mxportal.shared.pagination import COUNT_CAP, IndexedPart, capped
from notifications.mail_server import server_problem
from notifications.models import Mail, MailServer, Status
from notifications.registry import kind_label

RECIPIENT = ("recipient_email", "recipient_name")
SUBJECT = ("subject",)


def _party_items(actor: User) -> LineItemQuerySet:
    """Return the items whose mails the actor reads; not those it sold that another account now serves (E5, E17)."""
    return LineItem.objects.visible_to(actor).filter(is_party_condition(actor, ""))


def _people(actor: User) -> QuerySet[User]:
    """Return the persons whose mails the actor reads (U4)."""
    people = User.objects.managed_by(actor)
    return people if actor.may(Permission.MANAGE_USERS) else people.none()


def _items_with_readable_subject(actor: User) -> LineItemQuerySet:
    """Return the items that the actor bought or sold: a subject may name the seller, so only they read it (A4)."""
    own, items = actor.account, _party_items(actor)
    return items if own.is_mobotix else items.filter(Q(owner=own) | Q(seller=own))


def _people_with_readable_subject(actor: User) -> QuerySet[User]:
    """Return the actor's own people: the subject of a mail to a buyer's people may name another seller (A2, A4)."""
    people = _people(actor)
    return people if actor.account.is_mobotix else people.filter(account=actor.account)


def _has_mail(holders: QuerySet[Any], mail: str) -> Exists:
    """Return a condition that one of these items or persons has the mail."""
    return Exists(holders.filter(mails=OuterRef(mail)))


@dataclass(frozen=True)
class MailList:
    """The rows of a list, to be paged by ``order``: mails, or entries with a mail each (``mail_of``).

    ``parts`` are the querysets that together give the rows. With one OR of the two reasons to see a mail, PostgreSQL
    would first gather all mails that meet one of them; each queryset by itself is checked row by row, from the newest.
    """

    rows: QuerySet[Any]
    parts: list[IndexedPart[Any]]
    order: tuple[str, ...]
    mail_of: Callable[[Any], Mail]

    def count(self) -> str:
        """Return how many mails there are, up to the limit of a list's count."""
        found: set[int] = set()
        for part in self.parts:
            found.update(part.queryset.order_by(*self.order).values_list("pk", flat=True)[: COUNT_CAP + 1])
        return capped(len(found))


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
    """Return the mails that the actor sees, filtered, newest first (N2).

    ``since`` and ``until`` are days in the reader's time zone; ``item`` is a line item that the actor is party to.
    """
    exact = {"status": status, "kind": kind, "line_items": item}
    wanted: dict[str, Any] = {name: value for name, value in exact.items() if value}
    if since:
        wanted["created_at__gte"] = _start_of(since)
    if until:
        wanted["created_at__lt"] = _start_of(date.fromordinal(until.toordinal() + 1))
    if actor.account.is_mobotix:
        # Anybody can type any address on the page for a new password; mails to unknown ones are cancelled.
        to_strangers = {"kind": PASSWORD_RESET, "status": Status.CANCELLED}
        mails = Mail.objects.filter(_matches(q, "", RECIPIENT + SUBJECT), **wanted).exclude(**to_strangers)
        return MailList(mails, [IndexedPart(mails)], ("-id",), lambda row: row)
    entries = MailEntry.objects.filter(account=actor.account).select_related("mail")
    entries = entries.filter(**{f"mail__{name}": value for name, value in wanted.items()})
    reasons = _reasons(actor, q)
    parts = [IndexedPart(entries.filter(reason), {"account": actor.account_id}) for reason in reasons]
    return MailList(entries.filter(reduce(or_, reasons)), parts, ("-mail_id",), lambda row: row.mail)


def _reasons(actor: User, text: str | None) -> list[Q]:
    """Return one condition for each reason to see an entry; a subject is searched only if the actor may read it."""
    if not text:
        return [Q(_has_mail(_party_items(actor), "mail")), Q(_has_mail(_people(actor), "mail"))]
    recipient, subject = _matches(text, "mail__", RECIPIENT), _matches(text, "mail__", SUBJECT)
    return [
        recipient & Q(_has_mail(_party_items(actor), "mail")),
        recipient & Q(_has_mail(_people(actor), "mail")),
        subject & Q(_has_mail(_items_with_readable_subject(actor), "mail")),
        subject & Q(_has_mail(_people_with_readable_subject(actor), "mail")),
    ]


def _matches(text: str | None, mail: str, columns: Sequence[str]) -> Q:
    """Return a condition that one of the columns of the mail contains the text; no condition without a text."""
    return reduce(or_, [Q((f"{mail}{column}__icontains", text)) for column in columns]) if text else Q()


def party_item(actor: User, pk: int) -> ItemRow | None:
    """Return the line item whose mails are asked for, if the actor reads them; otherwise None (E5)."""
    return next(iter(item_rows(actor, for_rows(_party_items(actor)).filter(pk=pk))), None)


def mail_server_trouble(actor: User) -> MailServer | None:
    """Return what is wrong with the mail server, for MOBOTIX only; partners read it at their own mails (N7)."""
    return server_problem() if actor.account.is_mobotix else None


def _start_of(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True)
class MailRow:
    """One mail as one reader may see it.

    ``item`` is the newest of the ``items`` that the mail tells the reader about.
    """

    mail: Mail
    kind: str
    subject: str
    item: ItemRow | None
    items: int
    person: User | None
    may_send_again: bool

    @property
    def more_items(self) -> int:
        """Return how many items the mail has besides the named one."""
        return self.items - 1


def mail_rows(actor: User, mails: Iterable[Mail]) -> list[MailRow]:
    """Return the rows of a page, in a fixed number of queries."""
    mails = with_addressees(actor, mails)
    page = Mail.objects.filter(pk__in=[mail.pk for mail in mails]).order_by()
    may_send = set(resendable(actor, page).values_list("pk", flat=True))
    named = _has_mail(_items_with_readable_subject(actor), "pk") | _has_mail(
        _people_with_readable_subject(actor), "pk"
    )
    with_subject = set(page.filter(named).values_list("pk", flat=True))
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
    """Return by mail the number of its items and the newest of them."""
    linked = _party_items(actor).filter(mails__in=mails).order_by().values("mails")
    found = list(linked.annotate(count=Count("pk"), newest=Max("pk")).values_list("mails", "count", "newest"))
    newest = for_rows(LineItem.objects.visible_to(actor)).filter(pk__in={pk for *_, pk in found})
    rows = {row.pk: row for row in item_rows(actor, newest)}
    return {mail: count for mail, count, _ in found}, {mail: rows[pk] for mail, _, pk in found if pk in rows}


def _people_of(actor: User, mails: list[Mail]) -> dict[int, User]:
    """Return by mail the person that it is kept with, if the actor manages that person."""
    people = _people(actor).filter(mails__in=mails).annotate(kept_mail=F("mails"))
    return {person.kept_mail: person for person in people}
