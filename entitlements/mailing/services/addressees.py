"""Find the person to whom a mail was written, and that person's present address (N8)."""

from collections.abc import Iterable

from accounts.models import User, UserStatus
from accounts.permissions import Permission
from entitlements.models import LineItem
from notifications.models import Mail


def addressees_of(mails: Iterable[Mail]) -> dict[int, User]:
    """Return by mail the active person that it is kept with or was meant for, who is one of the owner's people (E9).

    Takes a fixed number of queries. A mail to an address that somebody typed has no entry.
    """
    mails = list(mails)
    pks = [mail.pk for mail in mails]
    found = {
        link.mail_id: link.user
        for link in User.mails.through.objects.filter(mail__in=pks).select_related("user")
        if link.user.status == UserStatus.ACTIVE
    }
    return _contacts_of([mail for mail in mails if mail.pk not in found]) | found


def _contacts_of(mails: list[Mail]) -> dict[int, User]:
    """Return the contact of mails about line items, by the key in the mail, or in older mails by the name."""
    links = LineItem.mails.through.objects.filter(mail__in=[mail.pk for mail in mails])
    items = links.select_related("lineitem__contact").order_by("lineitem")
    by_mail: dict[int, list[LineItem]] = {}
    for link in items:
        by_mail.setdefault(link.mail_id, []).append(link.lineitem)
    keys = {mail.context["contact"] for mail in mails if "contact" in mail.context}
    people = User.objects.active().in_bulk(keys)
    found = {}
    for mail in mails:
        owned = by_mail.get(mail.pk, [])
        person = people.get(mail.context.get("contact", 0)) or _named_contact(mail, owned)
        if person and owned and {item.owner_id for item in owned} == {person.account_id}:
            found[mail.pk] = person
    return found


def _named_contact(mail: Mail, items: list[LineItem]) -> User | None:
    """Find the recipient of a mail of an older version, which has a name and no key."""
    named = {item.contact for item in items if str(item.contact) == mail.recipient_name}
    return named.pop() if len(named) == 1 and "contact" not in mail.context else None


def with_addressees(actor: User, mails: Iterable[Mail]) -> list[Mail]:
    """Add to each mail its person, if it has one, and whether the actor may correct the person's address (U4)."""
    mails = list(mails)
    people = addressees_of(mail for mail in mails if mail.can_be_sent_again)
    managed = User.objects.managed_by(actor).filter(pk__in=[person.pk for person in people.values()])
    managed_pks = set(managed.values_list("pk", flat=True)) if actor.may(Permission.MANAGE_USERS) else set()
    for mail in mails:
        mail.addressee = people.get(mail.pk)
        mail.may_correct = mail.addressee is not None and mail.addressee.pk in managed_pks
    return mails
