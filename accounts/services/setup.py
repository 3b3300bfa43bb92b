"""What operators do from the command line: create the first account and its admin, and reset a login."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, Role, Tier, User
from accounts.services.attempts import forget_wrong_logins
from accounts.services.credentials import CREDENTIALS, queue_user_mail, suspend_api_tokens
from accounts.services.users import check_email_free
from mxportal.shared.fields import fold
from mxportal.shared.text import only_what_is_seen


@transaction.atomic(durable=True)
def found_mobotix(*, account_name: str, **person: str) -> User:
    """Create the MOBOTIX account with a Portal Admin, who gets the credentials by mail (A1, U4).

    ``person`` has email, first_name, last_name and language. A second call corrects the admin, who gets new
    credentials, as long as nobody has logged in. Later a call adds an admin only while none is active: a way back in,
    but no way round U3. Raises ValidationError otherwise, or if the address is in use.
    """
    account, __ = Account.objects.get_or_create(tier=Tier.MOBOTIX, defaults={"name": account_name})
    user, action = _first_admin(account), "user_changed"
    if user is None:
        user, action = User(account=account, can_log_in=True, role=Role.PORTAL_ADMIN), "user_created"
    _describe(user, person)
    user.set_unusable_password()
    user.must_change_password = True
    user.save()
    AuditEntry.objects.record(actor=None, action=action, about=user)
    queue_user_mail(user, CREDENTIALS)
    return user


def _first_admin(account: Account) -> User | None:
    """Return the admin whom an earlier call made and who has never logged in; None while no admin is active."""
    admins = list(User.objects.admins().filter(account=account).select_related("account"))
    if not admins:
        return None
    if len(admins) > 1 or account.taken_over_at or _has_logged_in(admins[0]):
        raise ValidationError(
            _("MOBOTIX already has an active Portal Admin, who can create further users in the portal.")
        )
    return admins[0]


def _has_logged_in(user: User) -> bool:
    return not user.must_change_password or user.login_records.filter(succeeded=True).exists()


def _describe(user: User, person: dict[str, Any]) -> None:
    """Set the person's fields. Raises ValidationError at the field."""
    for name, value in person.items():
        setattr(user, name, value)
        only_what_is_seen(value)
    user.clean_fields(exclude=["password", "mails"])
    check_email_free(user)


@transaction.atomic(durable=True)
def reset_login(*, email: str) -> User:
    """Delete the count of wrong logins and mail new credentials, if nobody in the portal can help the person (U4, U9).

    The present password is valid until the delivery. Raises ValidationError if no active login has this user ID.
    """
    user = User.objects.select_related("account").filter(login=fold(email)).first()
    if user is None or not user.is_active:
        raise ValidationError(_("No active user has this user ID."))
    forget_wrong_logins(fold(email))
    user.must_change_password = True
    user.save(update_fields=["must_change_password"])
    suspend_api_tokens(user)
    AuditEntry.objects.record(actor=None, action="credentials_sent", about=user)
    queue_user_mail(user, CREDENTIALS)
    return user
