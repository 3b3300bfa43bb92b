"""Persons at an account: users who can log in, and contacts who cannot (U1–U7)."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account, AccountStatus, Tier
from accounts.models.address import Address
from accounts.models.relation import SellingRelation
from accounts.permissions import (
    MOBOTIX_ADMIN_PERMISSIONS,
    MOBOTIX_USER_PERMISSIONS,
    PORTAL_ADMIN_PERMISSIONS,
    PORTAL_USER_PERMISSIONS,
    Permission,
)
from mxportal.shared.fields import FoldedField, fold
from mxportal.shared.queries import LockingQuerySet


class Role(models.TextChoices):
    """The two roles (U3)."""

    PORTAL_ADMIN = "portal_admin", _("Portal Admin User Role")
    PORTAL_USER = "portal_user", _("Portal User Role")


class UserStatus(models.TextChoices):
    """Active or inactive; inactive ends every session at the next request (U7)."""

    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")


def default_time_zone() -> str:
    """Return the portal's own time zone (E14)."""
    return settings.TIME_ZONE


class UserQuerySet(LockingQuerySet["User"]):
    """Who sees and who manages which person."""

    def active(self) -> Self:
        """Keep persons who can log in or get mails."""
        return self.filter(status=UserStatus.ACTIVE)

    def logins(self) -> Self:
        """Keep users, as opposed to contacts."""
        return self.filter(can_log_in=True)

    def admins(self) -> Self:
        """Keep active Portal Admins."""
        return self.active().logins().filter(role=Role.PORTAL_ADMIN)

    def visible_to(self, actor: "User") -> Self:
        """Keep the persons of the actor's account and of the accounts that it sells to; MOBOTIX sees all."""
        if actor.account.is_mobotix:
            return self.all()
        sold_to = SellingRelation.objects.accepted().filter(seller=actor.account, buyer=OuterRef("account"))
        return self.filter(Q(account=actor.account) | Exists(sold_to))

    def managed_by(self, actor: "User") -> Self:
        """Keep the persons whom the actor's account may edit, whatever the actor's role is (U4)."""
        if actor.account.is_mobotix:
            return self.all()
        return self.filter(account__in=Account.objects.managed_by(actor))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Finds users by what they type as their user ID."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user without regard to case; contacts and inactive users have no ``login`` and never match (U2)."""
        return self.select_related("account").get(login=fold(username or ""))


class User(AbstractBaseUser, Address):
    """A person at one account (U1)."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="users", db_index=False)
    can_log_in = models.BooleanField(_("Can this user log in?"), default=False)
    login = models.CharField(
        max_length=254,
        unique=True,
        null=True,
        editable=False,
        help_text="The user ID of an active login (U2).",
    )
    shared_login = models.BooleanField(
        _("Shared login"),
        default=False,
        help_text=_(
            "Several people use this login at once, for example a web service. Its logins are not recorded."
        ),
    )
    status = models.CharField(
        _("Status"), max_length=10, choices=UserStatus.choices, default=UserStatus.ACTIVE
    )
    opt_in = models.BooleanField(
        _("Opt in to receive email"), default=False, help_text=_("MOBOTIX may send news about its products.")
    )
    expiring_email = models.BooleanField(
        _("Expiring entitlements email"),
        default=False,
        help_text=_("Receives a notice before entitlements expire."),
    )
    first_name = models.CharField(_("First name"), max_length=100)
    last_name = models.CharField(_("Last name"), max_length=100)
    display_name = models.CharField(
        _("Display name"), max_length=200, blank=True, help_text=_("If empty, first and last name are used.")
    )
    email = models.EmailField(_("E-mail"), max_length=254)
    email_key = FoldedField(of="email", max_length=254)
    mobile = models.CharField(_("Mobile"), max_length=40, blank=True)
    language = models.CharField(_("Language"), max_length=5, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(_("Time zone"), max_length=60, default=default_time_zone)
    role = models.CharField(_("Roles"), max_length=20, choices=Role.choices, blank=True)
    must_change_password = models.BooleanField(default=False, editable=False)
    temporary_password_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)
    mails = models.ManyToManyField("notifications.Mail", related_name="+", editable=False)

    USERNAME_FIELD = EMAIL_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    # What an API token's scopes leave of the role; None is all of it (P1).
    narrowed_to: frozenset[Permission] | None = None

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email_key"],
                condition=Q(status=UserStatus.ACTIVE),
                name="user_email_once_an_account",
            ),
            models.CheckConstraint(
                # An unknown check passes: without IS NOT NULL, a user without a login would be accepted.
                condition=Q(login__isnull=True) & (Q(can_log_in=False) | ~Q(status=UserStatus.ACTIVE))
                | Q(login__isnull=False, login=F("email_key"), can_log_in=True, status=UserStatus.ACTIVE),
                name="user_login_when_active",
            ),
            models.CheckConstraint(
                condition=Q(can_log_in=True, role__in=Role.values)
                | Q(can_log_in=False, role="", shared_login=False),
                name="user_role_with_login",
            ),
            models.CheckConstraint(
                condition=Q(must_change_password=False, temporary_password_until__isnull=True)
                | Q(must_change_password=True),
                name="user_temporary_password",
            ),
        ]
        indexes = [
            # the persons of one account
            models.Index(fields=["account", "last_name", "id"], name="user_by_account"),
        ]

    def __str__(self) -> str:
        return self.display_name or f"{self.first_name} {self.last_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Derive the user ID from address, status and the right to log in, and save (U2)."""
        self.login = fold(self.email) if self.can_log_in and self.status == UserStatus.ACTIVE else None
        super().save(*args, **kwargs)

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Return whether the person may log in right now (U7, A5)."""
        return self.login is not None and self.account.status == AccountStatus.ACTIVE

    @property
    def is_admin(self) -> bool:
        """Return whether the role is Portal Admin User Role."""
        return self.can_log_in and self.role == Role.PORTAL_ADMIN

    def permissions(self) -> frozenset[Permission]:
        """Return the role's permissions, or what a token leaves of them (U3, P1)."""
        row = self._permissions_of_role()
        return row if self.narrowed_to is None else row & self.narrowed_to

    def _permissions_of_role(self) -> frozenset[Permission]:
        if not self.can_log_in:
            return frozenset()
        of_mobotix = self.account.tier == Tier.MOBOTIX
        if self.role != Role.PORTAL_ADMIN:
            return MOBOTIX_USER_PERMISSIONS if of_mobotix else PORTAL_USER_PERMISSIONS
        return MOBOTIX_ADMIN_PERMISSIONS if of_mobotix else PORTAL_ADMIN_PERMISSIONS

    def may(self, permission: Permission | str) -> bool:
        """Return whether the role allows it; ``visible_to`` decides for which rows."""
        return permission in self.permissions()

    def set_password(self, raw_password: str | None) -> None:
        """Set the user's own password, which ends a temporary one (U4). Does not save."""
        super().set_password(raw_password)
        self.must_change_password = False
        self.temporary_password_until = None

    def set_temporary_password(self, password: str) -> None:
        """Set a temporary password that ends and must be changed at the first login (U4). Does not save."""
        self.set_password(password)
        self.must_change_password = True
        self.temporary_password_until = timezone.now() + timedelta(days=settings.TEMPORARY_PASSWORD_DAYS)

    @property
    def temporary_password_expired(self) -> bool:
        """Return whether the temporary password has expired (U4)."""
        until = self.temporary_password_until
        return self.must_change_password and until is not None and until <= timezone.now()
