"""Rehosting: copies go from one device to another in one step (L4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.activation.services.activate import activation_obstacle, check_can_be_activated, set_copies
from entitlements.activation.services.devices import HostId, host_data
from entitlements.activation.services.licenses import renew_license
from entitlements.activation.services.returns import lock_activation, take_from_device
from entitlements.items.locks import ids_above, lock_items, locked_ancestors
from entitlements.items.predicates import may_activate
from entitlements.models import Activation, Device, License, LineItem
from mxportal.shared.refusals import refusal


@transaction.atomic(durable=True)
def rehost(
    *, actor: User, activation_id: int, host: HostId, copies: int | None, key: str, reason: str = ""
) -> License:
    """Return copies of an item from a device, and activate them on another one in addition to what it holds (L4).

    ``copies`` None means all of them. It counts as a return. Returns the license of the other device. Raises
    Activation.DoesNotExist, PermissionDenied, ValidationError at ``item``, ``host_id``, ``copies`` or ``reason``;
    nothing has changed then.
    """
    check_permission(actor, Permission.ACTIVATE)
    activation, above = lock_activation(actor, activation_id)
    request = {"activation": activation_id, "host": host_data(host), "copies": copies, "reason": reason}
    once = Operation.once(actor, key, "rehost", request)
    if once.result:
        return License.objects.get(pk=once.result)
    _check_another(activation.device, host)
    copies = activation.copies if copies is None else copies
    license = _rehost_copies(
        actor=actor, activation=activation, host=host, copies=copies, reason=reason, above=above
    )
    once.keep(license)
    return license


@transaction.atomic(durable=True)
def replace_device(*, actor: User, device_id: int, host: HostId, key: str, reason: str = "") -> Device:
    """Rehost everything that a device holds to another one, created where it is unknown, and return that one (L4).

    Activations for which ``plan_replacement`` gives an obstacle stay. Raises Device.DoesNotExist, PermissionDenied,
    ValidationError at ``device``, ``host_id``, ``copies`` (the year's limit of returns) or ``reason``; nothing has
    changed then.
    """
    check_permission(actor, Permission.ACTIVATE)
    device = Device.objects.visible_to(actor).select_related("account").get(pk=device_id)
    held = LineItem.objects.filter(pk__in=list(_held(device).values_list("item", flat=True)))
    wanted = {*held.values_list("pk", flat=True), *ids_above(held)}
    locked = {item.pk: item for item in lock_items(wanted)}
    request = {"device": device_id, "host": host_data(host), "reason": reason}
    once = Operation.once(actor, key, "replace_device", request)
    if once.result:
        return Device.objects.get(pk=once.result)
    _check_another(device, host)
    plan = [one for one in plan_replacement(actor, device) if one.activation.item_id in locked]
    other = _rehost_all(actor=actor, plan=plan, host=host, reason=reason, locked=locked)
    once.keep(other)
    return other


@dataclass(frozen=True)
class PlannedRehost:
    """What happens to one activation when its device is replaced: it is rehosted, or ``obstacle`` says why it stays."""

    activation: Activation
    obstacle: str


def plan_replacement(actor: User, device: Device) -> list[PlannedRehost]:
    """Return what a device holds of items that the actor sees, ordered by item (L4, E12)."""
    seen = _held(device).filter(item__in=LineItem.objects.visible_to(actor))
    held = seen.select_related("device", "item__product", "item__owner").order_by("item_id")
    return [PlannedRehost(activation=one, obstacle=_obstacle(actor, one.item)) for one in held]


def _held(device: Device) -> QuerySet[Activation]:
    return Activation.objects.filter(device=device, copies__gt=0)


def _obstacle(actor: User, item: LineItem) -> str:
    if not may_activate(actor, item):
        return _("Another account looks after this line item; it stays on the device.")
    return activation_obstacle(item)


def _check_another(device: Device, host: HostId) -> None:
    if host.normal == device.host_id:
        raise refusal(
            "same-device", {"host_id": _("This is the same device. Enter the host ID of the other one.")}
        )


def _rehost_all(
    *, actor: User, plan: list[PlannedRehost], host: HostId, reason: str, locked: Mapping[int, LineItem]
) -> Device:
    _check_some_rehost(actor, plan)
    for activation in (one.activation for one in plan if not one.obstacle):
        license = _rehost_copies(
            actor=actor,
            activation=activation,
            host=host,
            copies=activation.copies,
            reason=reason,
            above=locked_ancestors(activation.item, locked),
        )
    return license.activation.device


def _check_some_rehost(actor: User, plan: list[PlannedRehost]) -> None:
    if all(one.obstacle for one in plan):
        if plan and not any(may_activate(actor, one.activation.item) for one in plan):
            raise PermissionDenied
        raise refusal("nothing-moves", {"device": _("No copy on this device can be rehosted.")})


def _rehost_copies(
    *,
    actor: User,
    activation: Activation,
    host: HostId,
    copies: int,
    reason: str,
    above: Sequence[LineItem] | None,
) -> License:
    item = activation.item
    check_can_be_activated(item)
    take_from_device(actor=actor, activation=activation, copies=copies, reason=reason, above=above)
    renew_license(activation, activation.copies - copies)
    item.refresh_from_db(fields=["available", "activated"])
    there = Activation.objects.filter(item=item, device__host_id=host.normal).first()
    total = copies + (there.copies if there else 0)
    return set_copies(actor=actor, item=item, host=host, copies=total, reason=reason)
