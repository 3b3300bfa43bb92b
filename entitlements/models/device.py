"""Devices, which hold activated copies (L1)."""

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Tier
from entitlements.identifiers.host_ids import HostIdType
from mxportal.shared.queries import LockingQuerySet

if TYPE_CHECKING:
    from accounts.models import User


OWN, CUSTOMERS = "own", "customers"
VISIBLE_PARTS = (OWN, CUSTOMERS)  # together all devices that a partner sees; no device is in both


class DeviceQuerySet(LockingQuerySet["Device"]):
    """Queries for devices: who sees which."""

    def visible_to(self, actor: "User") -> Self:
        """Keep devices of the actor's account and of end customers that it sells to or serves (L1, E13).

        MOBOTIX sees all devices.
        """
        own = actor.account
        if own.tier == Tier.MOBOTIX:
            return self.all()
        return self.filter(Q(account=own) | Q(account__in=_customers(own)))

    def visible_to_as(self, actor: "User", part: str) -> Self:
        """Keep one of the VISIBLE_PARTS of ``visible_to``.

        Each part uses an index; with OR between them the database uses none.
        """
        if part == OWN:
            return self.filter(account=actor.account)
        return self.filter(account__in=_customers(actor.account))


def _customers(seller: Account) -> Any:
    return Account.objects.bought_from(seller).filter(tier=Tier.END_CUSTOMER).values("pk")


class Device(models.Model):
    """A device that copies are activated on, such as a camera or a computer with MxMC; never deleted (A6)."""

    account = models.ForeignKey("accounts.Account", models.PROTECT, related_name="devices", db_index=False)
    host_id_type = models.CharField(
        _("Type of host ID"), max_length=10, choices=HostIdType.choices, default=HostIdType.MAC
    )
    host_id = models.CharField(_("Host ID"), max_length=64)
    name = models.CharField(_("Name"), max_length=100, blank=True)
    model = models.CharField(_("Model"), max_length=100, blank=True)
    site = models.CharField(_("Site"), max_length=100, blank=True)
    notes = models.TextField(_("Notes"), max_length=2000, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = [
            # other accounts may have the same host, and see nothing of this one
            models.UniqueConstraint(fields=["account", "host_id"], name="device_once_an_account"),
            models.CheckConstraint(
                condition=Q(host_id_type__in=HostIdType.values), name="device_host_id_type_known"
            ),
        ]
        indexes = [
            # an account's devices, newest first
            models.Index(fields=["account", "-id"], name="device_newest"),
        ]

    def __str__(self) -> str:
        return self.name or self.host_id
