"""L2: copies of a line item on a device."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Operation, Tier, User
from accounts.permissions import Permission, check_permission
from entitlements.activation.services.devices import HostId, as_asked, find_or_make_device
from entitlements.activation.services.licenses import is_for_current_id, renew_license
from entitlements.activation.services.returns import take_from_device
from entitlements.identifiers.activation_ids import lookup_form
from entitlements.items.checks import check_copies, check_reason
from entitlements.items.locks import lock_above, lock_item
from entitlements.items.predicates import (
    may_activate,
)
from entitlements.ledger.movements import record_device_movement
from entitlements.models import Activation, Device, License, LineItem, MovementKind, State
from mxportal.shared.queries import one_or_none
from mxportal.shared.refusals import refusal

MOST_AT_ONCE = 500  # devices in one request


@transaction.atomic(durable=True)
def activate(*, actor: User, item_id: int, host: HostId, copies: int, key: str, reason: str = "") -> License:
    """Set how many copies of an item a device holds, and return the license that says so.

    ``copies`` is the new total, so that the same request again changes nothing and gives the same license. Fewer copies
    than before are a return (L4). Raises LineItem.DoesNotExist, PermissionDenied, ValidationError at ``item``,
    ``host_id``, ``copies`` or ``reason``.
    """
    check_permission(actor, Permission.ACTIVATE)
    visible = LineItem.objects.visible_to(actor).filter(pk=item_id)
    above = lock_above(visible) if gives_back(visible, [(host, copies)]) else None
    item = lock_item(visible)
    request: dict[str, Any] = {"item": item_id, "host": as_asked(host), "copies": copies, "reason": reason}
    once = Operation.once(actor, key, "activate", request)
    if once.result:
        return License.objects.get(pk=once.result)
    if not may_activate(actor, item):
        raise PermissionDenied
    license = set_copies(actor=actor, item=item, host=host, copies=copies, reason=reason, above=above)
    once.keep(license)
    return license


@transaction.atomic(durable=True)
def activate_many(
    *, actor: User, item_id: int, lines: Sequence[tuple[HostId, int]], key: str, reason: str = ""
) -> list[License]:
    """``activate`` for several devices, each with its copies as the new total: all of them, or none.

    Returns the licenses in the order of the lines. Raises what ``activate`` raises; what is wrong with lines stands at
    ``lines``, a sentence for each that begins with its number.
    """
    check_permission(actor, Permission.ACTIVATE)
    visible = LineItem.objects.visible_to(actor).filter(pk=item_id)
    above = lock_above(visible) if gives_back(visible, lines) else None
    item = lock_item(visible)
    hosts = _check_hosts(lines)
    request: dict[str, Any] = {"item": item_id, "reason": reason}
    request["lines"] = [[as_asked(host), copies] for host, copies in lines]
    once = Operation.once(actor, key, "activate_many", request)
    if once.result:
        return _valid_licenses(item, hosts)
    if not may_activate(actor, item):
        raise PermissionDenied
    licenses = _activate_each(actor=actor, item=item, lines=lines, reason=reason, above=above)
    once.keep(item)
    return licenses


def _check_hosts(lines: Sequence[tuple[HostId, int]]) -> list[str]:
    """The host IDs as they are kept, none twice. Raises ValidationError at ``lines``."""
    if not 1 <= len(lines) <= MOST_AT_ONCE:
        message = _("Enter from 1 to %(most)s devices.") % {"most": MOST_AT_ONCE}
        raise refusal("wrong-number-of-lines", {"lines": message})
    found: dict[str, int] = {}
    problems: list[str] = []
    for number, (host, _copies) in enumerate(lines, start=1):
        try:
            first = found.setdefault(host.normal, number)
        except ValidationError as error:
            problems += _numbered(number, error)
            continue
        if first != number:
            twice = _("Line %(number)s: this device stands in line %(first)s already.")
            problems.append(twice % {"number": number, "first": first})
    if problems:
        raise ValidationError({"lines": problems})
    return list(found)


def _activate_each(
    *,
    actor: User,
    item: LineItem,
    lines: Sequence[tuple[HostId, int]],
    reason: str,
    above: Sequence[LineItem] | None,
) -> list[License]:
    check_can_be_activated(item)
    licenses: list[License] = []
    problems: list[str] = []
    for number, (host, copies) in enumerate(lines, start=1):
        try:
            licenses.append(
                set_copies(actor=actor, item=item, host=host, copies=copies, reason=reason, above=above)
            )
        except ValidationError as error:
            if "reason" in error.error_dict:
                raise
            problems += _numbered(number, error)
        item.refresh_from_db(fields=["available"])
    if problems:
        raise ValidationError({"lines": problems})
    return licenses


def _numbered(number: int, error: ValidationError) -> list[str]:
    sentence = _("Line %(number)s: %(error)s")
    return [sentence % {"number": number, "error": problem} for problem in error.messages]


def _valid_licenses(item: LineItem, hosts: list[str]) -> list[License]:
    """Those that the devices have of the item now, in this order; one that was returned since has none."""
    valid = License.objects.filter(
        activation__item=item, activation__device__host_id__in=hosts, ended_at=None
    ).select_related("activation__device")
    by_host = {license.activation.device.host_id: license for license in valid}
    return [by_host[host] for host in hosts if host in by_host]


@transaction.atomic(durable=True)
def activate_as_bearer(*, activation_id: str, host: HostId, copies: int) -> License:
    """L2: the Activation ID is the proof, for end customers' items only. This is how MxMC activates.

    Raises LineItem.DoesNotExist alike for an ID that is mistyped, unknown, or not an end customer's.
    """
    items = bearers_items(activation_id)
    above = lock_above(items) if gives_back(items, [(host, copies)]) else None
    return set_copies(actor=None, item=lock_item(items), host=host, copies=copies, above=above)


@transaction.atomic(durable=True)
def return_as_bearer(*, activation_id: str, host: HostId) -> Activation:
    """L2, L3: give back all copies that a device holds, with the Activation ID as the proof; once more changes nothing.

    Within the year's limit (L4), also when the item is inactive or expired. Raises LineItem.DoesNotExist as
    ``activate_as_bearer`` does, ValidationError at ``host_id`` or ``copies``.
    """
    items = bearers_items(activation_id)
    above = lock_above(items)
    item = lock_item(items)
    activation = item.activations.select_related("device").filter(device__host_id=host.normal).first()
    if activation is None:
        message = _("No copy of this line item was ever activated on this device. Check the host ID.")
        raise refusal("not-on-device", {"host_id": message})
    activation.item = item
    if activation.copies:
        take_from_device(actor=None, activation=activation, copies=activation.copies, reason="", above=above)
        renew_license(activation, 0)
        activation.refresh_from_db(fields=["copies"])
    return activation


def bearers_items(activation_id: str) -> QuerySet[LineItem]:
    """L2: the end customer's item that the bearer's proof names, one or none. Raises LineItem.DoesNotExist."""
    name = lookup_form(activation_id)
    if name is None:
        raise LineItem.DoesNotExist
    owned = LineItem.objects.filter(owner__tier=Tier.END_CUSTOMER).exclude(state=State.DRAFT)
    return owned.filter(activation_id=name)


def gives_back(items: QuerySet[LineItem], lines: Sequence[tuple[HostId, int]]) -> bool:
    """L4: whether one of the devices holds more copies of one of the items than it would; looked at before any lock.

    A host ID that is none is left to who reads it next.
    """
    totals: dict[str, int] = {}
    for host, copies in lines:
        with suppress(ValidationError):
            totals[host.normal] = copies
    held = Activation.objects.filter(item__in=items, device__host_id__in=totals, copies__gt=0)
    return any(copies > totals[name] for name, copies in held.values_list("device__host_id", "copies"))


def set_copies(
    *,
    actor: User | None,
    item: LineItem,
    host: HostId,
    copies: int,
    reason: str = "",
    above: Sequence[LineItem] | None = None,
) -> License:
    """Under the item's lock: the device holds ``copies`` from now on. ``above`` as ``take_from_device`` wants it.

    The same number again gives the same license, but where the Activation ID was replaced since (E5): its file opens
    with the former one.
    """
    check_can_be_activated(item)
    if copies < 1:
        raise refusal("too-few-copies", {"copies": _("Enter at least 1 copy.")})
    device, is_new = find_or_make_device(account_id=item.owner_id, host=host, actor=actor)
    activation = _activation_on(item, device, is_new=is_new)
    change = copies - activation.copies
    current = activation.licenses.filter(ended_at=None).first() if change == 0 else None
    if current and is_for_current_id(current):
        return current
    if change < 0:
        take_from_device(actor=actor, activation=activation, copies=-change, reason=reason, above=above)
    elif change > 0:
        _put_on_device(actor=actor, activation=activation, copies=change, reason=reason)
    license = renew_license(activation, copies)
    assert license is not None, "copies are at least 1"
    return license


def _put_on_device(*, actor: User | None, activation: Activation, copies: int, reason: str) -> None:
    """Under the item's lock: write the movement. Raises ValidationError at ``copies`` or ``reason`` (E13)."""
    check_copies(copies, activation.item.available)
    if actor is not None:
        check_reason(actor, activation.item, reason)
    record_device_movement(
        actor=actor, kind=MovementKind.ACTIVATE, activation=activation, copies=copies, reason=reason
    )


def _activation_on(item: LineItem, device: Device, *, is_new: bool) -> Activation:
    """That of the item on the device, made where there is none: nobody else can, under the item's lock."""
    known = None if is_new else one_or_none(Activation.objects.filter(item=item, device=device))
    activation = known or Activation.objects.create(item=item, device=device)
    activation.item, activation.device = item, device
    return activation


def check_can_be_activated(item: LineItem) -> None:
    """E3, L2: deployed and not expired; before the start date is allowed. Raises ValidationError at ``item``."""
    if item.is_expired:
        raise refusal("expired", {"item": _("This line item has expired; it cannot be activated any more.")})
    if item.state != State.DEPLOYED:
        message = _("This line item is in state “%(state)s”. Only deployed line items can be activated.")
        raise refusal("not-deployed", {"item": message % {"state": State(item.state).label}})


def activation_obstacle(item: LineItem) -> str:
    """L2: why no copies of the item can be put on a device; "" where they can."""
    try:
        check_can_be_activated(item)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
