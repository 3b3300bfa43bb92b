"""U4, U8: temporary passwords and one-time links, made when their mail is delivered."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, MailEntry, Operation, SellingRelation, User
from accounts.permissions import Permission, check_permission
from mxportal.shared.fields import fold
from notifications.models import Mail
from notifications.services import MailDraft, queue_mails, retry_mail

CREDENTIALS = "accounts.credentials"
PASSWORD_RESET = "accounts.password_reset"
TOKENS_SUSPENDED = "accounts.tokens_suspended"
PASSWORD_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
PASSWORD_LENGTH = 16  # 93 bits


def queue_user_mail(user: User, kind: str, **context: int) -> Mail:
    """Queue a mail to a user, in the user's language, and keep it on the user's list of mails.

    ``context`` is what the mail's renderer needs besides the user: primary keys.
    """
    return queue_user_mails([user], kind, **context)[0]


def queue_user_mails(users: Iterable[User], kind: str, **context: int) -> list[Mail]:
    """``queue_user_mail`` for many, in a fixed number of statements."""
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
    """Keep mails with their persons, and in the lists of those who may look after them: own account and sellers."""
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
    """U4 "Send new credentials": mail another temporary password. The present password holds until the delivery.

    Raises User.DoesNotExist where the actor may not manage the user.
    """
    check_permission(actor, Permission.MANAGE_USERS)
    user = (
        User.objects.managed_by(actor)
        .active()
        .logins()
        .select_for_update(no_key=True, of=("self",))
        .get(pk=user_id)
    )
    request = {"user": user_id}
    if done := Operation.objects.done(actor=actor, key=key, kind="send_credentials", request=request):
        return user.mails.get(pk=done)
    AuditEntry.objects.record(actor=actor, action="credentials_sent", about=user)
    suspend_api_tokens(user)
    user.must_change_password = True
    user.save()
    mail = queue_user_mail(user, CREDENTIALS)
    Operation.objects.record(actor=actor, key=key, kind="send_credentials", request=request, result=mail)
    return mail


def suspend_api_tokens(user: User) -> int:
    """P1: a person's tokens stop with its login as it was, until an admin of the account confirms them.

    Within the caller's transaction. The admins are told by mail, for their programs stand still. Returns how many.
    """
    tokens = ApiToken.objects.filter(user=user, suspended_at=None).not_ended()
    suspended = tokens.update(suspended_at=timezone.now())
    if suspended:
        admins = User.objects.admins().filter(account=user.account_id).exclude(must_change_password=True)
        queue_user_mails(admins.select_related("account"), TOKENS_SUSPENDED, person=user.pk)
    return suspended


@transaction.atomic
def set_own_password(user: User, password: str) -> None:
    """U4: by the page or by the one-time link. Whoever made tokens with the old password has them no more (P1)."""
    user.set_password(password)
    user.save()
    suspend_api_tokens(user)


@transaction.atomic(durable=True)
def request_password_reset(*, email: str) -> None:
    """U8: queue a one-time link for the active login with this address; the same silence where there is none."""
    user = User.objects.select_related("account").filter(login=fold(email)).first()
    if user is not None and user.is_active:
        queue_user_mail(user, PASSWORD_RESET)


@transaction.atomic(durable=True)
def make_temporary_password(*, mail: Mail) -> tuple[User, str] | None:
    """Make the password that this mail brings; only its hash is kept.

    None where the mail comes too late: the user has set a password, may not log in, or a newer mail is on its way.
    """
    user = (
        User.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account")
        .get(pk=mail.context["user"])
    )
    newest = user.mails.filter(kind=CREDENTIALS).order_by("-id").first()
    if not user.is_active or not user.must_change_password or newest != mail:
        return None
    password = "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))
    user.set_temporary_password(password)
    user.save()
    return user, password


def login_url() -> str:
    """The address of the log-in page, for mails."""
    return settings.SITE_URL + reverse("account_login")


def retry_user_mail(*, actor: User, user_id: int, mail_id: int) -> Mail:
    """N2: a mail to a person that failed, or waits after a failure, is due now.

    Raises User.DoesNotExist or Mail.DoesNotExist where the actor may not, ValidationError where it does not wait.
    """
    check_permission(actor, Permission.MANAGE_USERS)
    user = User.objects.managed_by(actor).get(pk=user_id)
    return retry_mail(user.mails.get(pk=mail_id).pk)


def mails_to(people: "QuerySet[User]") -> "QuerySet[Any]":
    """The mails to these persons, newest first: rows with ``user_id`` and ``mail``."""
    rows = User.mails.through.objects.filter(user__in=people)
    return rows.select_related("mail").order_by("-mail")
