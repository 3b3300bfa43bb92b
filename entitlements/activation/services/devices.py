"""Devices of accounts (L1)."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, Operation, Tier, User
from accounts.models.account import AccountQuerySet
from accounts.permissions import Permission, check_permission
from entitlements.identifiers.host_ids import HostIdType, normalise
from entitlements.models import Device
from entitlements.models.kinds import Action
from mxportal.shared.refusals import refusal


@dataclass(frozen=True, kw_only=True)
class HostId:
    """The host ID of a device as it was typed, and the details of a new device."""

    typed: str
    kind: HostIdType
    name: str = ""
    model: str = ""
    site: str = ""

    @property
    def normal(self) -> str:
        """The host ID in the form in which it is kept.

        Raises ValidationError at ``host_id``.
        """
        try:
            return normalise(self.typed, self.kind)
        except ValidationError as error:
            raise ValidationError({"host_id": error}) from error


def host_data(host: HostId) -> list[str]:
    """Return everything that was asked for about a device, for the hash of a request (E7).

    Raises ValidationError.
    """
    return [host.kind, host.normal, host.name, host.model, host.site]


def find_or_make_device(*, account_id: int, host: HostId, actor: User | None) -> tuple[Device, bool]:
    """Return the account's device with this host ID, and whether it was created just now (L1).

    Devices of other accounts are not considered.
    """
    details = {"host_id_type": host.kind, "name": host.name, "model": host.model, "site": host.site}
    return Device.objects.get_or_create(
        account_id=account_id, host_id=host.normal, defaults=details | {"created_by": actor}
    )


@transaction.atomic(durable=True)
def add_device(*, actor: User, account_id: int, host: HostId, key: str, notes: str = "") -> Device:
    """Add a device without activations to the actor's account or to an end customer that it sells to (L1).

    Raises Account.DoesNotExist, ValidationError at ``host_id``.
    """
    check_permission(actor, Permission.ACTIVATE)
    account = device_accounts(actor).for_update().get(pk=account_id)
    request = {"account": account_id, "host": host_data(host), "notes": notes}
    once = Operation.once(actor, key, "add_device", request)
    if once.result:
        return Device.objects.get(pk=once.result)
    device, is_new = find_or_make_device(account_id=account.pk, host=host, actor=actor)
    if not is_new:
        raise refusal("device-exists", {"host_id": _("This account has a device with this host ID already.")})
    _save_details(actor, device, Action.DEVICE_ADDED, notes=notes)
    once.keep(device)
    return device


@transaction.atomic(durable=True)
def edit_device(*, actor: User, device_id: int, **details: str) -> Device:
    """Change ``name``, ``model``, ``site`` and ``notes`` of a device; its host ID cannot change (L1).

    Raises Device.DoesNotExist.
    """
    check_permission(actor, Permission.ACTIVATE)
    device = Device.objects.visible_to(actor).get(pk=device_id)
    _save_details(actor, device, Action.DEVICE_EDITED, **details)
    return device


def device_accounts(actor: User) -> AccountQuerySet:
    """Return the accounts whose devices the actor adds and edits: its own, and end customers that it sells to (L1)."""
    if actor.account.is_mobotix:
        return Account.objects.exclude(tier=Tier.MOBOTIX)
    customers = Account.objects.bought_from(actor.account).filter(tier=Tier.END_CUSTOMER)
    return Account.objects.filter(Q(pk=actor.account_id) | Q(pk__in=customers.values("pk")))


def _save_details(actor: User, device: Device, action: Action, **details: str) -> None:
    for name, value in details.items():
        setattr(device, name, value)
    device.save(update_fields=[*details])
    AuditEntry.objects.record(actor=actor, action=action, about=device)
