"""Movements, the entries of the ledger of quantities; triggers derive the balances from them (E11)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class MovementKind(models.TextChoices):
    """The effect of a movement on ``item`` and, for a split and its undo, on its ``parent``.

    issue, adjust: item.quantity and item.available + n; adjust corrects an issued item upwards (E15).
    revoke: the reverse, on an issued item.
    split: parent.available − n, parent.split + n, item.quantity and item.available + n.
    undo: the reverse of split.
    activate: item.available − n, item.activated + n; return is the reverse.
    The view ledger_effect in the database says the same.
    """

    ISSUE = "issue", _("Issue")
    ADJUST = "adjust", _("Correction")
    REVOKE = "revoke", _("Revocation")
    SPLIT = "split", _("Split")
    UNDO = "undo", _("Undo split")
    ACTIVATE = "activate", _("Activation")
    RETURN = "return", _("Return")


WITH_PARENT = (MovementKind.SPLIT, MovementKind.UNDO)  # kinds that name the parent
ON_DEVICES = (MovementKind.ACTIVATE, MovementKind.RETURN)  # kinds that name the activation


class Movement(models.Model):
    """One entry of the ledger; a trigger keeps the table append-only (E11)."""

    kind = models.CharField(max_length=10, choices=MovementKind.choices)
    item = models.ForeignKey(
        "entitlements.LineItem", models.PROTECT, related_name="movements", db_index=False
    )
    parent = models.ForeignKey(
        "entitlements.LineItem", models.PROTECT, null=True, related_name="movements_of_splits", db_index=False
    )
    activation = models.ForeignKey(
        "entitlements.Activation", models.PROTECT, null=True, related_name="movements", db_index=False
    )
    copies = models.PositiveBigIntegerField()
    # None where the bearer of an Activation ID activates (L2)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(copies__gte=1), name="movement_moves_something"),
            models.CheckConstraint(
                condition=Q(kind__in=WITH_PARENT, parent__isnull=False)
                | Q(kind__in=[kind for kind in MovementKind if kind not in WITH_PARENT], parent__isnull=True),
                name="movement_parent_by_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ON_DEVICES, activation__isnull=False)
                | ~Q(kind__in=ON_DEVICES) & Q(activation__isnull=True, actor__isnull=False),
                name="movement_activation_by_kind",
            ),
        ]
        indexes = [
            # the history of an item, and of the items split from it
            models.Index(fields=["item", "id"], name="movement_by_item"),
            models.Index(fields=["parent", "id"], name="movement_by_parent"),
            # the history of a device, and how many copies were returned in a year (L4)
            models.Index(
                fields=["activation", "id"],
                name="movement_by_activation",
                condition=Q(activation__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.copies} → {self.item_id}"
