"""Activation of copies of a line item on devices (L2)."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Operation, Tier, User
from accounts.permissions import Permission, check_permission
from entitlements.activation.services.devices import HostId, find_or_make_device, host_data
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

MAX_DEVICES = 500  # in one request


@transaction.atomic(durable=True)
def activate(*, actor: User, item_id: int, host: HostId, copies: int, key: str, reason: str = "") -> License:
    """Set how many copies of an item a device holds, and return the license (L2).

    ``copies`` is the new total, so that the same request again changes nothing and gives the same license. Fewer copies
    than before are a return (L4). Raises LineItem.DoesNotExist, PermissionDenied, ValidationError at ``item``,
    ``host_id``, ``copies`` or ``reason``.
    """
    check_permission(actor, Permission.ACTIVATE)
    visible = LineItem.objects.visible_to(actor).filter(pk=item_id)
    above = lock_above(visible) if reduces_copies(visible, [(host, copies)]) else None
    item = lock_item(visible)
    request: dict[str, Any] = {"item": item_id, "host": host_data(host), "copies": copies, "reason": reason}
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
    """Set the copies of several devices as ``activate`` does, for all of them or none (L2).

    Returns the licenses in the order of the lines. Raises what ``activate`` raises; errors of lines are at ``lines``,
    each a sentence that begins with the line's number.
    """
    check_permission(actor, Permission.ACTIVATE)
    visible = LineItem.objects.visible_to(actor).filter(pk=item_id)
    above = lock_above(visible) if reduces_copies(visible, lines) else None
    item = lock_item(visible)
    hosts = _check_hosts(lines)
    request: dict[str, Any] = {"item": item_id, "reason": reason}
    request["lines"] = [[host_data(host), copies] for host, copies in lines]
    once = Operation.once(actor, key, "activate_many", request)
    if once.result:
        return _valid_licenses(item, hosts)
    if not may_activate(actor, item):
        raise PermissionDenied
    licenses = _activate_each(actor=actor, item=item, lines=lines, reason=reason, above=above)
    once.keep(item)
    return licenses


def _check_hosts(lines: Sequence[tuple[HostId, int]]) -> list[str]:
    """Return the host IDs in the form in which they are kept, each once.

    Raises ValidationError at ``lines``.
    """
    if not 1 <= len(lines) <= MAX_DEVICES:
        message = _("Enter 1 to %(most)s devices.") % {"most": MAX_DEVICES}
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
            twice = _("Line %(number)s: this device is already in line %(first)s.")
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
    """Return the valid licenses of the item on these hosts, in their order; a returned one is missing."""
    valid = License.objects.filter(
        activation__item=item, activation__device__host_id__in=hosts, ended_at=None
    ).select_related("activation__device")
    by_host = {license.activation.device.host_id: license for license in valid}
    return [by_host[host] for host in hosts if host in by_host]


@transaction.atomic(durable=True)
def activate_as_bearer(*, activation_id: str, host: HostId, copies: int) -> License:
    """Activate with the Activation ID as the proof, for end customers' items only; MxMC activates so (L2).

    Raises LineItem.DoesNotExist alike for an ID that is mistyped, unknown, or not an end customer's.
    """
    items = items_of_bearer(activation_id)
    above = lock_above(items) if reduces_copies(items, [(host, copies)]) else None
    return set_copies(actor=None, item=lock_item(items), host=host, copies=copies, above=above)


@transaction.atomic(durable=True)
def return_as_bearer(*, activation_id: str, host: HostId) -> Activation:
    """Return all copies that a device holds, with the Activation ID as the proof (L2, L3).

    Returning again changes nothing. The year's limit applies (L4); the item may be inactive or expired. Raises
    LineItem.DoesNotExist as ``activate_as_bearer`` does, ValidationError at ``host_id`` or ``copies``.
    """
    items = items_of_bearer(activation_id)
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


def items_of_bearer(activation_id: str) -> QuerySet[LineItem]:
    """Return the end customer's item with this Activation ID, as a query of one item or none (L2).

    Raises LineItem.DoesNotExist where the ID is mistyped.
    """
    name = lookup_form(activation_id)
    if name is None:
        raise LineItem.DoesNotExist
    owned = LineItem.objects.filter(owner__tier=Tier.END_CUSTOMER).exclude(state=State.DRAFT)
    return owned.filter(activation_id=name)


def reduces_copies(items: QuerySet[LineItem], lines: Sequence[tuple[HostId, int]]) -> bool:
    """Return whether a device holds more copies of an item than it would; checked before any lock (L4).

    Invalid host IDs are ignored here; the next step rejects them.
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
    """Set how many copies the device holds, under the item's lock, and return the license (L2).

    ``above`` as in ``take_from_device``. The same number again gives the same license, unless the Activation ID was
    replaced since (E5): its file opens with the former one. Raises ValidationError at ``item``, ``host_id``, ``copies``
    or ``reason``.
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
    """Record the movement, under the item's lock.

    Raises ValidationError at ``copies`` or ``reason`` (E13).
    """
    check_copies(copies, activation.item.available)
    if actor is not None:
        check_reason(actor, activation.item, reason)
    record_device_movement(
        actor=actor, kind=MovementKind.ACTIVATE, activation=activation, copies=copies, reason=reason
    )


def _activation_on(item: LineItem, device: Device, *, is_new: bool) -> Activation:
    """Return the activation of the item on the device, created where it is missing.

    The item's lock prevents a second one.
    """
    known = None if is_new else one_or_none(Activation.objects.filter(item=item, device=device))
    activation = known or Activation.objects.create(item=item, device=device)
    activation.item, activation.device = item, device
    return activation


def check_can_be_activated(item: LineItem) -> None:
    """Check that the item is Deployed and not expired; its start date does not matter (E3, L2).

    Raises ValidationError at ``item``.
    """
    if item.is_expired:
        raise refusal("expired", {"item": _("This line item has expired and can no longer be activated.")})
    if item.state != State.DEPLOYED:
        message = _("This line item is in state “%(state)s”. Only deployed line items can be activated.")
        raise refusal("not-deployed", {"item": message % {"state": State(item.state).label}})


def activation_obstacle(item: LineItem) -> str:
    """Return a sentence that says why the item cannot be activated; "" where it can (L2)."""
    try:
        check_can_be_activated(item)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
