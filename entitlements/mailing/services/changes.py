"""Queue mails to the people whose copies somebody else changed (E8, E15)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from accounts.models import User, UserStatus
from entitlements.mailing.services.queue import keep_mails
from entitlements.models import BulkSplit, LineItem, Movement, State
from entitlements.models.kinds import MailKind
from notifications.models import Mail
from notifications.services import MailDraft, queue_mails


def queue_correction_mails(changes: Iterable[tuple[LineItem, int]]) -> list[Mail]:
    """Queue one mail to each contact of items whose quantity changed, with all of them but drafts (E15)."""
    of_contact: defaultdict[int, list[tuple[LineItem, int]]] = defaultdict(list)
    for item, copies in changes:
        if item.state != State.DRAFT:
            of_contact[item.contact_id].append((item, copies))
    contacts = list(User.objects.active().filter(pk__in=of_contact).order_by("pk"))
    mails = queue_mails(
        _draft(
            contact,
            MailKind.CORRECTED,
            changes=[[item.pk, copies] for item, copies in of_contact[contact.pk]],
        )
        for contact in contacts
    )
    keep_mails(
        [
            (item, mail)
            for contact, mail in zip(contacts, mails, strict=True)
            for item, _copies in of_contact[contact.pk]
        ]
    )
    return mails


def queue_came_back_mail(movement: Movement) -> list[Mail]:
    """Tell the person who split copies that somebody other than the seller returned them (E8).

    If that person is gone, the contact of the item that has the copies again is told.
    """
    item, source, actor = movement.item, movement.parent, movement.actor
    if source is None or (actor and actor.account_id == item.seller_id):
        return []
    people = _still_at(item.seller_id, [item.created_by, source.contact])
    mails = queue_mails(
        _draft(person, MailKind.CAME_BACK, movement=movement.pk, user=person.pk) for person in people
    )
    keep_mails([(source, mail) for mail in mails])
    return mails


def queue_bulk_undone_mail(bulk: BulkSplit, parts: Sequence[tuple[LineItem, int]]) -> list[Mail]:
    """Tell the person who made a bulk split that MOBOTIX undid it: one mail, kept with all of its sources (E8).

    If that person is gone, the contact of the first source is told.
    """
    if bulk.undone_by is None or bulk.undone_by.account_id == bulk.account_id:
        return []
    sources = list(bulk.sources.select_related("contact").order_by("pk"))
    people = _still_at(bulk.account_id, [bulk.actor, *(source.contact for source in sources)])
    copies = sum(copies for _item, copies in parts)
    mails = queue_mails(
        _draft(person, MailKind.BULK_UNDONE, bulk=bulk.pk, items=len(parts), copies=copies)
        for person in people
    )
    keep_mails([(source, mail) for source in sources for mail in mails])
    return mails


def _still_at(account_id: int, people: Iterable[User]) -> list[User]:
    """Return a list with the first person that is active and of this account, or an empty list."""
    there = (one for one in people if one.status == UserStatus.ACTIVE and one.account_id == account_id)
    return list(islice(there, 1))


def _draft(person: User, kind: str, **context: object) -> MailDraft:
    return MailDraft(
        kind=kind,
        recipient_email=person.email,
        recipient_name=str(person),
        language=person.language,
        context=context,
    )
