"""The very first account and its first admin, who create everybody else."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, Role, Tier, User
from accounts.services.credentials import CREDENTIALS, queue_user_mail
from accounts.services.users import check_email_free


@transaction.atomic(durable=True)
def found_mobotix(*, account_name: str, email: str, first_name: str, last_name: str, language: str) -> User:
    """A1: create the MOBOTIX account with a Portal Admin, who gets the credentials by mail (U4).

    On a portal that has its MOBOTIX account already, adds the admin to it only while none is active: a way back in,
    not a way round U3. Raises ValidationError otherwise, or where the address is in use.
    """
    account, __ = Account.objects.get_or_create(tier=Tier.MOBOTIX, defaults={"name": account_name})
    if User.objects.admins().filter(account=account).exists():
        raise ValidationError(
            _("MOBOTIX has an active Portal Admin already, who can create further users in the portal.")
        )
    user = User(
        account=account,
        email=email,
        first_name=first_name,
        last_name=last_name,
        language=language,
        can_log_in=True,
        role=Role.PORTAL_ADMIN,
    )
    user.clean_fields(exclude=["password", "mails"])
    check_email_free(user)
    user.set_unusable_password()
    user.must_change_password = True
    user.save()
    AuditEntry.objects.record(actor=None, action="user_created", about=user)
    queue_user_mail(user, CREDENTIALS)
    return user
