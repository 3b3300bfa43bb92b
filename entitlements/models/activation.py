"""L2, L5: copies of an item on a device, and the license files that say so."""

import uuid
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

from accounts.models import Tier

if TYPE_CHECKING:
    from accounts.models import User


def party_parts(actor: "User", prefix: str = "item__") -> list[Q]:
    """E5, A7: the owner, the serving account, and the seller where there is no other that serves; MOBOTIX always.

    Each part is found along an index of the items, which all of them in one condition are not.
    """
    own = actor.account
    if own.tier == Tier.MOBOTIX:
        return [Q()]
    owner, serving, seller = (f"{prefix}{column}" for column in ("owner", "serving_account", "seller"))
    return [Q(**{owner: own}), Q(**{serving: own}), Q(**{seller: own, serving: None})]


def of_parties(actor: "User", prefix: str = "item__") -> Q:
    """Any of them."""
    return reduce(or_, party_parts(actor, prefix))


class ActivationQuerySet(models.QuerySet["Activation"]):
    """Who reads on which devices the copies of an item are."""

    def visible_to(self, actor: "User") -> Self:
        """The parties of the item; the others up the chain see how many are activated, and not where (L1)."""
        return self.filter(of_parties(actor))

    def held(self) -> Self:
        """Those that have copies now."""
        return self.filter(copies__gt=0)


class LicenseQuerySet(models.QuerySet["License"]):
    """Who may have which license file."""

    def visible_to(self, actor: "User") -> Self:
        """The parties of the item; what is in it only who has Activation ID and host ID reads (L5)."""
        return self.filter(of_parties(actor, "activation__item__"))

    def parts_visible_to(self, actor: "User") -> list[Self]:
        """``visible_to`` in parts, for a list's pages."""
        return [self.filter(part) for part in party_parts(actor, "activation__item__")]

    def valid(self) -> Self:
        """Those that were not ended by a return or by another one."""
        return self.filter(ended_at=None)

    def ended_since(self, moment: datetime | None) -> Self:
        """L6: those that hold no more, since a moment or ever."""
        return self.filter(ended_at__isnull=False) if moment is None else self.filter(ended_at__gte=moment)


class Activation(models.Model):
    """How many copies of an item a device holds. The ledger's triggers alone write the number (E11)."""

    item = models.ForeignKey(
        "entitlements.LineItem", models.PROTECT, related_name="activations", db_index=False
    )
    device = models.ForeignKey("entitlements.Device", models.PROTECT, related_name="activations")
    copies = models.PositiveBigIntegerField(default=0, editable=False)
    ledger_position = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ActivationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "device"], name="activation_once_a_device"),
            models.CheckConstraint(condition=Q(copies__gte=0), name="activation_no_negative_copies"),
        ]
        indexes = [
            # where the copies of an item are, newest first
            models.Index(fields=["item", "-id"], name="activation_held", condition=Q(copies__gt=0)),
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
    digest = models.CharField(max_length=64, help_text="SHA-256 of what is signed in the file.")
    key = models.ForeignKey("entitlements.SigningKey", models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = LicenseQuerySet.as_manager()

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
            # whose file somebody wants to have checked
            models.Index(fields=["digest"], name="license_by_file"),
        ]

    def __str__(self) -> str:
        return str(self.license_id)
