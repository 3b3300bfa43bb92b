"""Tokens of programs, and the requests made with them (P1)."""

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from mxportal.shared.days import today

if TYPE_CHECKING:
    from accounts.models.user import User


class Scope(models.TextChoices):
    """What a token is for. ``orders`` is only for MOBOTIX."""

    READ = "read", _("Read: every list and page of the account")
    SELL = "sell", _("Sell: split, undo, e-mail, customers and contacts")
    ACTIVATE = "activate", _("Activate: activate, return and rehost licenses")
    ORDERS = "orders", _("Orders: accounts, products, entitlements, changes and cancellations")

    @property
    def short_label(self) -> str:
        """Return the part before the colon."""
        return str(self.label).partition(":")[0]


PERMISSIONS_OF_SCOPE = {
    Scope.READ: {Permission.VIEW},
    Scope.SELL: {
        Permission.SPLIT,
        Permission.UNDO_SPLIT,
        Permission.SEND_MAIL,
        Permission.CREATE_ACCOUNTS,
        Permission.MANAGE_USERS,
    },
    Scope.ACTIVATE: {Permission.ACTIVATE},
    Scope.ORDERS: {
        Permission.CREATE_ACCOUNTS,
        Permission.MANAGE_USERS,
        Permission.MANAGE_PRODUCTS,
        Permission.CREATE_ENTITLEMENTS,
        Permission.CHANGE_STATES,
        Permission.CORRECT_QUANTITIES,
    },
}


def hash_token(secret: str) -> str:
    """Return the SHA-256. A slow hash would gain nothing, because a token is too random to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _last_to_confirm() -> datetime:
    return timezone.now() - timedelta(days=settings.API_TOKEN_SUSPENDED_DAYS)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Who sees which token."""

    def visible_to(self, actor: "User") -> Self:
        """Keep those of the actor's account; MOBOTIX, too, sees only its own."""
        return self.filter(account=actor.account)

    def not_ended(self) -> Self:
        """Keep those that work, or may work again."""
        confirmable = Q(suspended_at=None) | Q(suspended_at__gte=_last_to_confirm())
        return self.filter(confirmable, revoked_at=None, expires_on__gte=today())


class ApiToken(models.Model):
    """A token that acts as a Portal Admin of its account, narrowed to its scopes (P1).

    Kept as a hash; never deleted (A6).
    """

    account = models.ForeignKey("accounts.Account", models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    name = models.CharField(_("Name"), max_length=100)
    scopes = models.JSONField(default=list)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_on = models.DateField(_("Valid until"))
    days_told = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="How many days ahead the admins were last told of its end."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    suspended_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                # null: an operator made it by a command
                condition=Q(revoked_by=None) | Q(revoked_at__isnull=False),
                name="api_token_revoked_once_by_somebody",
            ),
        ]
        indexes = [
            # the account's list, newest first
            models.Index(fields=["account", "-id"], name="api_token_by_account"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return what the scopes allow; the role of its person may allow less."""
        return frozenset().union(*(PERMISSIONS_OF_SCOPE[Scope(scope)] for scope in self.scopes))

    @property
    def is_expired(self) -> bool:
        """Return whether its last day has ended in MOBOTIX's time zone (E14)."""
        return self.expires_on < today()

    @property
    def has_person(self) -> bool:
        """Return whether its person may log in, set a password, and is still an admin of this account (U4, U7, A5)."""
        may_log_in = self.user.is_active and not self.user.must_change_password
        return may_log_in and self.user.is_admin and self.user.account_id == self.account_id

    @property
    def is_suspended(self) -> bool:
        """Return whether its person's login changed and no admin has confirmed the token since (P1)."""
        return self.suspended_at is not None

    @property
    def is_ended(self) -> bool:
        """Return whether it ended for good: not confirmed in time, revoked, or expired (P1)."""
        if self.revoked_at or self.is_expired:
            return True
        return self.suspended_at is not None and self.suspended_at < _last_to_confirm()

    @property
    def is_usable(self) -> bool:
        """Return whether it is accepted right now."""
        return not self.is_ended and not self.is_suspended and self.has_person


class ApiRequestQuerySet(models.QuerySet["ApiRequest"]):
    """Who sees which request."""

    def visible_to(self, actor: "User") -> Self:
        """Keep requests with tokens of the actor's account; MOBOTIX sees all, also those without a token."""
        return self.all() if actor.account.is_mobotix else self.filter(account=actor.account)


class ApiRequest(models.Model):
    """One request to the API, without query, body and answer, which contain names and secrets."""

    token = models.ForeignKey(
        "accounts.ApiToken", models.PROTECT, null=True, related_name="+", db_index=False
    )
    account = models.ForeignKey(
        "accounts.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    method = models.CharField(max_length=10)
    route = models.CharField(max_length=200, help_text="The address with its variable parts unfilled.")
    status = models.PositiveSmallIntegerField()
    duration_ms = models.PositiveIntegerField()
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = ApiRequestQuerySet.as_manager()

    class Meta:
        indexes = [
            # the account's list, newest first
            models.Index(fields=["account", "-id"], name="api_request_by_account"),
            # old entries to delete
            models.Index(fields=["at"], name="api_request_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.status}"
