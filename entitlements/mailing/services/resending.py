""" "Send again", for one mail and for all that failed (N2, N8)."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Operation, User
from accounts.permissions import Permission, check_permission
from accounts.quotas import Quota, spend
from accounts.services.credentials import present_recipient
from accounts.services.users import update_user
from entitlements.items.predicates import is_party, may_hand_on
from entitlements.mailing.services.addressees import addressees_of
from entitlements.models import LineItem
from mxportal.shared.fields import fold
from notifications.models import Mail, Status
from notifications.services import retry_failed, retry_mail

MAX_SENT_AGAIN = 1000  # mails of one "Send all failed again", the newest first


def resendable(actor: User, mails: QuerySet[Mail]) -> QuerySet[Mail]:
    """Keep the mails that the actor may send again, about items it serves and to persons it manages (E13, E17, U4)."""
    if not actor.may(Permission.SEND_MAIL):
        return mails.none()
    if actor.account.is_mobotix:
        return mails
    looked_after = LineItem.objects.visible_to(actor).looked_after_by(actor.account)
    of_items = looked_after.filter(mails=OuterRef("pk"))
    of_users = User.objects.managed_by(actor).filter(mails=OuterRef("pk"))
    return mails.filter(Exists(of_items) | Exists(of_users))


def failed_mails(actor: User) -> QuerySet[Mail]:
    """Return the mails that failed finally and that this person may send again."""
    return resendable(actor, Mail.objects.filter(status=Status.FAILED))


def send_again(*, actor: User, mail_id: int) -> Mail:
    """Make a failed or waiting mail due now (N2). Who may write to a line item or a user may send its mails again.

    Raises Mail.DoesNotExist if no object of the mail is visible, PermissionDenied, and ValidationError if the mail is
    not waiting any more.
    """
    check_permission(actor, Permission.SEND_MAIL)
    spend(actor, Quota.MAILS)
    mail = _sendable(actor, mail_id)
    person = addressees_of([mail]).get(mail.pk)
    return retry_mail(mail.pk, present_recipient(person) if person else None)


def _sendable(actor: User, mail_id: int) -> Mail:
    """Return a mail that the actor may send again. Raises Mail.DoesNotExist if none of its objects is visible.

    Raises PermissionDenied if the actor may see but not write to them.
    """
    mail = Mail.objects.get(pk=mail_id)
    visible = LineItem.objects.visible_to(actor).filter(mails=mail_id)
    items = [item for item in visible if is_party(actor, item)]
    persons = User.objects.visible_to(actor).filter(mails=mail_id)
    if not items and not persons.exists():
        raise Mail.DoesNotExist
    managed = User.objects.managed_by(actor).filter(mails=mail_id)
    if not any(may_hand_on(actor, item) for item in items) and not managed.exists():
        raise PermissionDenied
    return mail


def correctable(actor: User, mail_id: int) -> tuple[Mail, User]:
    """Return a mail that the actor may send again, and its person, whose address the actor may correct (N8).

    Raises Mail.DoesNotExist, also if the address belongs to no known person, and PermissionDenied.
    """
    check_permission(actor, Permission.SEND_MAIL)
    check_permission(actor, Permission.MANAGE_USERS)
    mail = _sendable(actor, mail_id)
    person = addressees_of([mail]).get(mail.pk)
    if person is None:
        raise Mail.DoesNotExist
    if not User.objects.managed_by(actor).filter(pk=person.pk).exists():
        raise PermissionDenied
    return mail, person


def correct_and_send_again(*, actor: User, mail_id: int, email: str) -> Mail:
    """Give the mail's person this address, and send the mail there (N8).

    A login with a new address gets new credentials automatically (U4); its older credential mails are not sent any
    more. Raises like ``correctable``, ``update_user`` and ``send_again``.
    """
    mail, person = correctable(actor, mail_id)
    if fold(email) != person.email_key:
        update_user(actor=actor, user_id=person.pk, email=email)
    return send_again(actor=actor, mail_id=mail.pk)


@transaction.atomic(durable=True)
def send_all_again(*, actor: User, key: str) -> int:
    """Make the failed mails that the actor may send again due now, limited to the newest (N2). Return how many."""
    check_permission(actor, Permission.SEND_MAIL)
    spend(actor, Quota.MAILS)
    User.objects.for_update().get(pk=actor.pk)  # there may be no mail to lock
    once = Operation.once(actor, key, "send_all_again", {})
    if once.result is not None:
        return once.result
    count = _retry_all(list(failed_mails(actor).order_by("-id")[:MAX_SENT_AGAIN]))
    once.keep(count)
    return count


def send_failed_again(pks: Iterable[int]) -> int:
    """Make those of these mails that failed due now, for operators: no actor, no quota. Return how many."""
    return _retry_all(list(Mail.objects.filter(pk__in=list(pks), status=Status.FAILED)))


def _retry_all(mails: list[Mail]) -> int:
    """Send each mail to its person's present address (N8)."""
    people = {pk: present_recipient(person) for pk, person in addressees_of(mails).items()}
    return retry_failed([mail.pk for mail in mails], people)
