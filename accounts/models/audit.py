"""What was done by whom (audit trail), and who logged in (U6)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from accounts.models.user import User


INSERT_BATCH = 1000  # entries in one statement


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Writes and reads the audit trail."""

    def record(
        self, *, actor: "User | None", action: str, about: models.Model, reason: str = "", **details: Any
    ) -> "AuditEntry":
        """Write one entry in the transaction of what it reports. ``details`` must contain no secret."""
        return self.create(
            actor=actor,
            action=action,
            object_type=about._meta.label_lower,
            object_id=about.pk,
            reason=reason,
            details=details,
        )

    def record_many(
        self, *, actor: "User", action: str, about: Iterable[models.Model], reason: str = "", **details: Any
    ) -> None:
        """Write the same entry about each of these objects, in few statements."""
        entries = [
            self.model(
                actor=actor,
                action=action,
                object_type=one._meta.label_lower,
                object_id=one.pk,
                reason=reason,
                details=details,
            )
            for one in about
        ]
        self.bulk_create(entries, batch_size=INSERT_BATCH)

    def visible_to(self, actor: "User") -> Self:
        """Keep what the actor may read: only the account and MOBOTIX read who else sells to it, or asked to (A2).

        The object's own ``visible_to`` decides before whether the object may be seen.
        """
        if actor.account.is_mobotix:
            return self.all()
        own = Q(object_type="accounts.account", object_id=actor.account_id)
        others = ~own & ~Q(details__seller=actor.account.account_id)
        return self.exclude(others, action__startswith="relation_")

    def about(self, instance: models.Model) -> Self:
        """Keep the entries about one object, newest first."""
        entries = self.filter(object_type=instance._meta.label_lower, object_id=instance.pk)
        return entries.select_related("actor").order_by("-id")


class AuditEntry(models.Model):
    """One thing done to one object, by whom and why."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=40)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    reason = models.CharField(max_length=500, blank=True)
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        indexes = [
            # the history shown on one object's page
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class LoginRecord(models.Model):
    """One attempt to log in. What was typed is not kept, because it might be a password in the wrong field (U6)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="login_records"
    )
    succeeded = models.BooleanField()
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # the logins shown on a user's page
            models.Index(fields=["user", "-id"], name="login_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%Y-%m-%d %H:%M} {'ok' if self.succeeded else 'failed'}"
