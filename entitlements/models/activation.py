"""Activations, which are copies of a line item on a device, and their license files (L2, L5)."""

import uuid
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

from accounts.models import Tier
from mxportal.shared.queries import LockingQuerySet

if TYPE_CHECKING:
    from accounts.models import User


def party_parts(actor: "User", prefix: str = "item__") -> list[Q]:
    """Return one condition for each way in which the actor's account is a party of an item (E5, A7).

    The parties are the owner, the serving account, the seller where no other account serves, and MOBOTIX always. The
    database finds each condition by an index of the items; a single condition with OR would use none.
    """
    own = actor.account
    if own.tier == Tier.MOBOTIX:
        return [Q()]
    owner, serving, seller = (f"{prefix}{column}" for column in ("owner", "serving_account", "seller"))
    return [Q(**{owner: own}), Q(**{serving: own}), Q(**{seller: own, serving: None})]


def is_party_condition(actor: "User", prefix: str = "item__") -> Q:
    """Return the condition that the actor's account is a party of the item in any of the ways of ``party_parts``."""
    return reduce(or_, party_parts(actor, prefix))


class ActivationQuerySet(LockingQuerySet["Activation"]):
    """Queries for activations, among them who sees them."""

    def visible_to(self, actor: "User") -> Self:
        """Keep activations of items whose party the actor is (L1).

        The other accounts up the chain see how many copies are activated, and not where.
        """
        return self.filter(is_party_condition(actor))

    def held(self) -> Self:
        """Keep activations that have copies now."""
        return self.filter(copies__gt=0)


class LicenseQuerySet(models.QuerySet["License"]):
    """Queries for license files, among them who sees them."""

    def visible_to(self, actor: "User") -> Self:
        """Keep licenses of items whose party the actor is (L5).

        Only a reader who has the Activation ID and the host ID can read what a file contains.
        """
        return self.filter(is_party_condition(actor, "activation__item__"))

    def parts_visible_to(self, actor: "User") -> list[Self]:
        """Return ``visible_to`` as one query for each condition of ``party_parts``, for the pages of a list."""
        return [self.filter(part) for part in party_parts(actor, "activation__item__")]

    def valid(self) -> Self:
        """Keep licenses that neither a return nor a newer license has ended."""
        return self.filter(ended_at=None)

    def ended_since(self, moment: datetime | None) -> Self:
        """Keep licenses that ended at ``moment`` or later, or at any time where it is None (L6)."""
        return self.filter(ended_at__isnull=False) if moment is None else self.filter(ended_at__gte=moment)


class Activation(models.Model):
    """How many copies of a line item a device holds; only the ledger's triggers write the number (E11)."""

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
            # the devices that hold copies of an item, newest first
            models.Index(fields=["item", "-id"], name="activation_held", condition=Q(copies__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.copies} of {self.item_id} on {self.device_id}"


class License(models.Model):
    """A license file as it was issued; another number of copies ends it and creates a new one (L2, L4)."""

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
            # all licenses that were ever issued for an activation
            models.Index(fields=["activation", "-id"], name="license_newest"),
            # the list of revocations
            models.Index(fields=["ended_at"], name="license_ended", condition=~Q(ended_at=None)),
            # the license of a file that somebody has verified
            models.Index(fields=["digest"], name="license_by_file"),
        ]

    def __str__(self) -> str:
        return str(self.license_id)
