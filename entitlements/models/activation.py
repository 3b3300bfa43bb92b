"""L2, L5: copies of an item on a device, and the license files that say so."""

import uuid

from django.db import models
from django.db.models import F, Q


class Activation(models.Model):
    """How many copies of an item a device holds. The ledger's triggers alone write the number (E11)."""

    item = models.ForeignKey(
        "entitlements.LineItem", models.PROTECT, related_name="activations", db_index=False
    )
    device = models.ForeignKey("entitlements.Device", models.PROTECT, related_name="activations")
    copies = models.PositiveBigIntegerField(default=0, editable=False)
    ledger_position = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "device"], name="activation_once_a_device"),
            models.CheckConstraint(condition=Q(copies__gte=0), name="activation_no_negative_copies"),
        ]

    def __str__(self) -> str:
        return f"{self.copies} of {self.item_id} on {self.device_id}"


class License(models.Model):
    """A license file as it was given out. Another number of copies ends it and makes another one (L2, L4)."""

    license_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    activation = models.ForeignKey(
        "entitlements.Activation", models.PROTECT, related_name="licenses", db_index=False
    )
    copies = models.PositiveBigIntegerField()
    file = models.TextField(help_text="Encrypted for who has Activation ID and host ID.")
    key = models.ForeignKey("entitlements.SigningKey", models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["activation"], condition=Q(ended_at=None), name="license_one_valid"
            ),
            models.CheckConstraint(condition=Q(copies__gte=1), name="license_for_something"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("issued_at")), name="license_ends_after_issue"
            ),
        ]
        indexes = [
            # all that were ever given out for an activation
            models.Index(fields=["activation", "-id"], name="license_newest"),
            # the list of revocations
            models.Index(fields=["ended_at"], name="license_ended", condition=~Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.license_id)
