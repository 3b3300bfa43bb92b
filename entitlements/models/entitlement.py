"""Entitlements: orders of one account from one seller, each a heading over line items (E1, E7)."""

import secrets
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from mxportal.shared.queries import LockingQuerySet

if TYPE_CHECKING:
    from accounts.models import User

ID_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def propose_entitlement_id() -> str:
    """Return a short ID by which people name an order.

    It is no secret, and no counter that tells how much is sold.
    """
    characters = "".join(secrets.choice(ID_ALPHABET) for _ in range(10))
    return f"E-{characters[:5]}-{characters[5:]}"


class EntitlementQuerySet(LockingQuerySet["Entitlement"]):
    """Queries for entitlements: who sees which."""

    def visible_to(self, actor: "User") -> Self:
        """Keep entitlements with at least one line item that the actor sees (E12)."""
        from entitlements.models.line_item import LineItem

        if actor.account.is_mobotix:
            return self.all()
        items = LineItem.objects.visible_to(actor).filter(entitlement=models.OuterRef("pk"))
        return self.filter(models.Exists(items))

    def parts_of(self, actor: "User") -> list[Self]:
        """Return the entitlements that the actor's account bought, and those that it sold, as one query each (E7).

        These accounts read the order number. MOBOTIX gets one query for all.
        """
        if actor.account.is_mobotix:
            return [self]
        return [self.filter(owner=actor.account), self.filter(seller=actor.account)]


class Entitlement(models.Model):
    """One order of one account from one seller."""

    entitlement_id = models.CharField(
        _("Entitlement ID"), max_length=20, unique=True, default=propose_entitlement_id, editable=False
    )
    seller = models.ForeignKey(
        "accounts.Account", models.PROTECT, related_name="entitlements_sold", db_index=False
    )
    owner = models.ForeignKey("accounts.Account", models.PROTECT, related_name="entitlements")
    order_number = models.CharField(_("Order number"), max_length=60, blank=True)
    order_date = models.DateField(_("Order date"), null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)

    objects = EntitlementQuerySet.as_manager()

    class Meta:
        constraints = [
            # one order is one entitlement (E7); its columns also serve the look-up when a split names an order
            models.UniqueConstraint(
                fields=["seller", "owner", "order_number"],
                condition=~Q(order_number=""),
                name="entitlement_order_once",
            ),
            models.CheckConstraint(condition=~Q(seller=F("owner")), name="entitlement_between_two"),
        ]
        indexes = [models.Index(fields=["seller", "owner"], name="entitlement_by_seller")]

    def __str__(self) -> str:
        return self.entitlement_id
