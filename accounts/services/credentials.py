"""Temporary passwords and one-time links, made when their mail is delivered (U4, U8)."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from allauth.account.forms import default_token_generator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import ApiToken, AuditEntry, MailEntry, Operation, SellingRelation, User
from accounts.permissions import Permission, check_permission
from accounts.quotas import Quota, spend
from accounts.services.attempts import forget_wrong_logins
from mxportal.shared.fields import fold
from notifications.models import Mail, Status
from notifications.services import MailDraft, Recipient, queue_mails, retry_mail

CREDENTIALS = "accounts.credentials"
PASSWORD_RESET = "accounts.password_reset"
TOKENS_SUSPENDED = "accounts.tokens_suspended"
PASSWORD_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
PASSWORD_LENGTH = 16  # 93 bits
UNKNOWN_RESETS_KEPT = timedelta(days=1)


def queue_user_mail(user: User, kind: str, **context: int) -> Mail:
    """Queue a mail to a user, in the user's language, and keep it on the user's list of mails.

    ``context`` has the primary keys that the mail's renderer needs besides the user.
    """
    return queue_user_mails([user], kind, **context)[0]


def queue_user_mails(users: Iterable[User], kind: str, **context: int) -> list[Mail]:
    """Do as ``queue_user_mail`` for many users, in a fixed number of statements."""
    users = list(users)
    mails = queue_mails(
        MailDraft(
            kind=kind,
            recipient_email=user.email,
            recipient_name=str(user),
            language=user.language,
            context={"user": user.pk, **context},
        )
        for user in users
    )
    _keep(list(zip(users, mails, strict=True)))
    return mails


def _keep(pairs: Sequence[tuple[User, Mail]]) -> None:
    """Keep mails with their persons, and in the lists of accounts that may manage them: their own and its sellers."""
    link = User.mails.through
    link.objects.bulk_create(link(user=user, mail=mail) for user, mail in pairs)
    accounts = {user.account_id for user, _ in pairs}
    relations = SellingRelation.objects.accepted().filter(buyer__in=accounts)
    lists: dict[int, list[int]] = {account: [account] for account in accounts}
    for buyer, seller in relations.values_list("buyer", "seller"):
        lists[buyer].append(seller)
    MailEntry.objects.keep((account, mail.pk) for user, mail in pairs for account in lists[user.account_id])


@transaction.atomic(durable=True)
def send_credentials(*, actor: User, user_id: int, key: str) -> Mail:
    """Mail another temporary password ("Send new credentials", U4). The present password is valid until the delivery.

    Raises User.DoesNotExist if the actor may not manage the user.
    """
    check_permission(actor, Permission.MANAGE_USERS)
    spend(actor, Quota.MAILS)
    user = User.objects.managed_by(actor).active().logins().for_update().get(pk=user_id)
    request = {"user": user_id}
    once = Operation.once(actor, key, "send_credentials", request)
    if once.result:
        return user.mails.get(pk=once.result)
    AuditEntry.objects.record(actor=actor, action="credentials_sent", about=user)
    suspend_api_tokens(user)
    user.must_change_password = True
    user.save()
    mail = queue_user_mail(user, CREDENTIALS)
    once.keep(mail)
    return mail


def suspend_api_tokens(user: User) -> int:
    """Suspend a person's tokens after a change of the login, until an admin of the account confirms them (P1).

    Runs within the caller's transaction. The admins are told by mail, because their programs stop. Return how many.
    """
    tokens = ApiToken.objects.filter(user=user, suspended_at=None).not_ended()
    suspended = tokens.update(suspended_at=timezone.now())
    if suspended:
        admins = User.objects.admins().filter(account=user.account_id).exclude(must_change_password=True)
        queue_user_mails(admins.select_related("account"), TOKENS_SUSPENDED, person=user.pk)
    return suspended


@transaction.atomic
def set_own_password(user: User, password: str) -> None:
    """Set the user's own password by the page or the link, and suspend the tokens made before (U4, P1)."""
    user.set_password(password)
    user.save()
    suspend_api_tokens(user)


@transaction.atomic(durable=True)
def request_password_reset(*, email: str) -> None:
    """Queue the one-time link for any address: nothing is looked up, so all answers take the same time (U8).

    ``addressee_of_reset`` finds out at delivery whether it is anybody's.
    """
    queue_mails([MailDraft(kind=PASSWORD_RESET, recipient_email=email, language=get_language() or "en")])


@transaction.atomic(durable=True)
def addressee_of_reset(*, mail: Mail) -> User | None:
    """Return the active login that asked, or None (U8).

    The mail goes to the address that the portal knows, never to one that only looks like it, in the person's language,
    and appears in the lists of the accounts that manage the person.
    """
    user = User.objects.select_related("account").filter(login=fold(mail.recipient_email)).first()
    if user is None or not user.is_active:
        return None
    mail.recipient_email, mail.recipient_name, mail.language = user.email, str(user), user.language
    mail.save(update_fields=["recipient_email", "recipient_name", "language"])
    if not user.mails.filter(pk=mail.pk).exists():
        _keep([(user, mail)])
    return user


def drop_unknown_resets() -> int:
    """Delete requests for addresses of nobody. Beat calls it. Return how many."""
    old = Mail.objects.filter(kind=PASSWORD_RESET, created_at__lt=timezone.now() - UNKNOWN_RESETS_KEPT)
    known = User.mails.through.objects.filter(mail=OuterRef("pk"))
    return old.filter(~Exists(known), status=Status.CANCELLED).delete()[0]


class LinkUsedError(ValidationError):
    """The one-time link has already set a password."""

    def __init__(self) -> None:
        super().__init__(_("This link has already been used."), code="link_used")


@transaction.atomic(durable=True)
def set_password_by_link(*, user_id: int, token: str, password: str) -> User:
    """Set the password, once for each link, even if it is sent several times at once (U8). Raises LinkUsedError."""
    user = User.objects.for_update().select_related("account").get(pk=user_id)
    if not user.is_active or not default_token_generator.check_token(user, token):
        raise LinkUsedError
    set_own_password(user, password)
    if user.login:
        forget_wrong_logins(user.login)
    return user


@transaction.atomic(durable=True)
def make_temporary_password(*, mail: Mail) -> tuple[User, str] | None:
    """Make the password of this mail; only its hash is kept (U4).

    Return None if the mail is too late: the user has set a password, may not log in, or a newer mail is queued.
    """
    user = User.objects.for_update().select_related("account").get(pk=mail.context["user"])
    newest = user.mails.filter(kind=CREDENTIALS).order_by("-id").first()
    is_astray = fold(mail.recipient_email) != user.email_key
    if is_astray or not user.is_active or not user.must_change_password or newest != mail:
        return None
    password = "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))
    user.set_temporary_password(password)
    user.save()
    return user, password


def login_url() -> str:
    """Return the address of the login page, for mails."""
    return settings.SITE_URL + reverse("account_login")


def retry_user_mail(*, actor: User, user_id: int, mail_id: int) -> Mail:
    """Make a mail to a person that failed, or waits after a failure, due now (N2).

    Raises User.DoesNotExist or Mail.DoesNotExist if the actor may not, and ValidationError if it does not wait.
    """
    check_permission(actor, Permission.MANAGE_USERS)
    spend(actor, Quota.MAILS)
    user = User.objects.managed_by(actor).get(pk=user_id)
    return retry_mail(user.mails.get(pk=mail_id).pk, present_recipient(user))


def present_recipient(person: User) -> Recipient:
    """Return where a mail to this person goes now, whatever address it was written to (N8)."""
    return Recipient(email=person.email, name=str(person), language=person.language)


def mails_to(people: "QuerySet[User]") -> "QuerySet[Any]":
    """Return the mails to these persons, newest first: rows with ``user_id`` and ``mail``."""
    rows = User.mails.through.objects.filter(user__in=people)
    return rows.select_related("mail", "user").order_by("-mail")
