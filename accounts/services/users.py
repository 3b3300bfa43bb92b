"""Create and change users and contacts (U1–U7)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, Operation, Role, Tier, User, UserStatus
from accounts.permissions import Permission, check_permission
from accounts.services.credentials import CREDENTIALS, queue_user_mail, suspend_api_tokens
from mxportal.shared.fields import fold
from mxportal.shared.refusals import refusal

USER_ID_LENGTH = 254
PROFILE_FIELDS = (
    "opt_in",
    "expiring_email",
    "first_name",
    "last_name",
    "display_name",
    "phone",
    "mobile",
    "fax",
    "street",
    "street2",
    "postal_code",
    "city",
    "region",
    "country",
    "language",
    "time_zone",
)


def create_user(*, actor: User, account_id: int, key: str, **fields: Any) -> User:
    """Create a user or a contact at an account that the actor's account manages (U4).

    ``fields`` are those of User. A new login gets its credentials by mail. Raises Account.DoesNotExist, and
    ValidationError at ``can_log_in`` (U5) or ``email`` (U2).
    """
    with user_id_race():
        return _create_user(actor=actor, account_id=account_id, key=key, fields=fields)


@transaction.atomic(durable=True)
def _create_user(*, actor: User, account_id: int, key: str, fields: dict[str, Any]) -> User:
    check_permission(actor, Permission.MANAGE_USERS)
    account = _lock_account(actor, account_id)
    request = {"account": account_id, **fields}
    once = Operation.once(actor, key, "create_user", request)
    if once.result:
        return User.objects.get(pk=once.result)
    user = add_person(actor, account, fields)
    once.keep(user)
    return user


def add_person(actor: User, account: Account, fields: Mapping[str, Any]) -> User:
    """Create a person in the caller's transaction, which has locked the account. Raises like ``create_user``."""
    user = User(account=account, **fields)
    check_login_allowed(user)
    check_email_free(user)
    user.set_unusable_password()
    user.must_change_password = user.can_log_in
    user.save()
    AuditEntry.objects.record(actor=actor, action="user_created", about=user)
    if user.is_active:
        queue_user_mail(user, CREDENTIALS)
    return user


def _lock_account(actor: User, account_id: int) -> Account:
    """Lock the account, for everything that concerns all of its users (the last admin, equal addresses)."""
    return Account.objects.managed_by(actor).for_update().get(pk=account_id)


def check_login_allowed(user: User) -> None:
    """Refuse a login for a person of an End customer (U5)."""
    if user.can_log_in and user.account.tier == Tier.END_CUSTOMER:
        raise refusal("no-login-possible", {"can_log_in": _("End customers have no access to the portal.")})


def check_email_free(user: User) -> None:
    """Check that the address is unique among active logins, and among the active persons of an account (U2)."""
    if user.status != UserStatus.ACTIVE:
        return
    key = fold(user.email)
    others = User.objects.exclude(pk=user.pk)
    if others.active().filter(account=user.account, email_key=key).exists():
        raise refusal(
            "email-used", {"email": _("This account already has a person with this e-mail address.")}
        )
    if len(key) > USER_ID_LENGTH or user.can_log_in and others.filter(login=key).exists():
        raise user_id_taken()


def user_id_taken() -> ValidationError:
    """Return the error at a user ID in use, which does not say who has it (U2)."""
    return refusal(
        "user-id-used",
        {"email": _("This e-mail address cannot be used as a user ID. Please use another one.")},
    )


@contextmanager
def user_id_race() -> Iterator[None]:
    """Turn the index's error into ``user_id_taken`` (U2).

    Two accounts that give one address to a login at the same time hold different locks, so that the index decides.
    """
    try:
        yield
    except IntegrityError as error:
        if "login" not in str(error):
            raise
        raise user_id_taken() from error


def update_user(
    *, actor: User, user_id: int, precondition: Callable[[User], None] | None = None, **fields: Any
) -> User:
    """Change a person whom the actor's account manages: profile, address, role, right to log in, status.

    A contact who becomes a user, a user who becomes active again and a user whose address changed get credentials by
    mail. Raises User.DoesNotExist, and ValidationError at ``can_log_in``, ``email``, ``role`` or ``status``.
    """
    with user_id_race():
        return _update_user(actor=actor, user_id=user_id, fields=fields, precondition=precondition)


@transaction.atomic(durable=True)
def _update_user(
    *,
    actor: User,
    user_id: int,
    fields: dict[str, Any],
    precondition: Callable[[User], None] | None = None,
) -> User:
    check_permission(actor, Permission.MANAGE_USERS)
    account = _lock_account(actor, User.objects.managed_by(actor).get(pk=user_id).account_id)
    user = User.objects.managed_by(actor).for_update().get(pk=user_id)
    user.account = account
    if precondition:
        precondition(user)
    before = {name: getattr(user, name) for name in fields}
    had_login, was_admin = user.login, _is_acting_admin(user)
    for name, value in fields.items():
        setattr(user, name, value)
    check_login_allowed(user)
    check_email_free(user)
    if was_admin and not _is_acting_admin(user):
        _check_other_admin(actor, user)
    changes = {name: str(value) for name, value in fields.items() if before[name] != value}
    _save_with_credentials(user, had_login)
    if user.login != had_login or was_admin and not _is_acting_admin(user):
        suspend_api_tokens(user)
    AuditEntry.objects.record(actor=actor, action="user_changed", about=user, **changes)
    return user


def _is_acting_admin(user: User) -> bool:
    return user.can_log_in and user.role == Role.PORTAL_ADMIN and user.status == UserStatus.ACTIVE


def _check_other_admin(actor: User, user: User) -> None:
    """Refuse to take away the last active Portal Admin of an account, unless MOBOTIX does it (U7)."""
    if actor.account.is_mobotix and not user.account.is_mobotix:
        return
    if not User.objects.admins().filter(account=user.account).exclude(pk=user.pk).exists():
        message = _(
            "This is the account's last active Portal Admin. Give another user the Portal Admin User Role first."
        )
        raise ValidationError({_field_that_loses_admin(user): ValidationError(message, code="last_admin")})


def _field_that_loses_admin(user: User) -> str:
    """Return the field whose new value takes the admin away."""
    if user.status != UserStatus.ACTIVE:
        return "status"
    return "role" if user.can_log_in else "can_log_in"


def _save_with_credentials(user: User, had_login: str | None) -> None:
    """Save; a new user ID starts with a temporary password, which is mailed to the new address."""
    login = fold(user.email) if _may_have_login(user) else None
    if login is not None and login != had_login:
        user.set_unusable_password()
        user.must_change_password = True
        user.save()
        queue_user_mail(user, CREDENTIALS)
        return
    user.save()


def _may_have_login(user: User) -> bool:
    return user.can_log_in and user.status == UserStatus.ACTIVE


@transaction.atomic(durable=True)
def update_profile(*, actor: User, **fields: Any) -> User:
    """Change the actor's own profile (PROFILE_FIELDS): not role, user ID or status (U3)."""
    check_permission(actor, Permission.EDIT_PROFILE)
    user = User.objects.for_update().get(pk=actor.pk)
    for name in PROFILE_FIELDS:
        if name in fields:
            setattr(user, name, fields[name])
    user.save()
    AuditEntry.objects.record(actor=actor, action="profile_changed", about=user)
    return user


def has_to_take_over(user: User) -> bool:
    """Return whether this is an admin of an account that no admin of its own has taken over yet (U4)."""
    return user.is_admin and user.account.taken_over_at is None


def take_over(user: User) -> None:
    """Take the account over: its first admin is in, so its own admins and MOBOTIX manage its users from now on (U4)."""
    if has_to_take_over(user):
        user.account.taken_over_at = timezone.now()
        user.account.save(update_fields=["taken_over_at"])
