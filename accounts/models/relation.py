"""Relations of sellers and buyers (A2)."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models.account import Account
    from accounts.models.user import User


class RelationStatus(models.TextChoices):
    """A further seller asks; the account's admin accepts or declines. A seller that created the account is accepted.

    MOBOTIX ends a relation when it transfers the account to another seller (A7).
    """

    REQUESTED = "requested", _("Requested")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    ENDED = "ended", _("Ended")


class SellingRelationQuerySet(models.QuerySet["SellingRelation"]):
    """Filters by status."""

    def visible_to(self, actor: "User") -> Self:
        """Keep those of the actor's account, as seller or buyer; only MOBOTIX sees those of others (A2)."""
        if actor.account.is_mobotix:
            return self.all()
        return self.filter(Q(seller=actor.account) | Q(buyer=actor.account))

    def accepted(self) -> Self:
        """Keep the relations in which copies can be split."""
        return self.filter(status=RelationStatus.ACCEPTED)

    def buyers_named(self, seller: "Account", name_key: str) -> Self:
        """Keep a seller's relations with buyers of this name (A3)."""
        return self.accepted().filter(seller=seller, buyer__name_key=name_key)

    def requested(self) -> Self:
        """Keep the relations that wait for the buyer's answer."""
        return self.filter(status=RelationStatus.REQUESTED)


class SellingRelation(models.Model):
    """A seller and a buyer. An account may have several sellers; each sees only what it sold."""

    seller = models.ForeignKey(
        "accounts.Account", models.PROTECT, related_name="buyer_relations", db_index=False
    )
    buyer = models.ForeignKey(
        "accounts.Account", models.PROTECT, related_name="seller_relations", db_index=False
    )
    status = models.CharField(max_length=10, choices=RelationStatus.choices)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = SellingRelationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "buyer"], name="relation_once"),
            models.CheckConstraint(condition=~Q(seller=F("buyer")), name="relation_between_two"),
            models.CheckConstraint(
                condition=Q(status__in=RelationStatus.values), name="relation_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=RelationStatus.REQUESTED, decided_at__isnull=True)
                | (~Q(status=RelationStatus.REQUESTED) & Q(decided_at__isnull=False)),
                name="relation_decided_or_open",
            ),
        ]
        indexes = [
            # who may see an account: looked up from the account's side (unique index: from the seller's side)
            models.Index(fields=["buyer", "seller"], name="relation_by_buyer"),
        ]

    def __str__(self) -> str:
        return f"{self.seller_id} → {self.buyer_id} ({self.status})"
