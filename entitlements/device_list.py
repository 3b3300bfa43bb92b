"""The list of devices: whose a reader sees, what a row says of them, and the search in it (L1, E13).

A page is read along ``device_newest`` or the primary key; the search along a trigram index for each of its columns.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q, Sum

from accounts.models import User
from accounts.visibility import visible_names
from entitlements.identifiers.host_ids import BETWEEN_DIGITS
from entitlements.items.search import FOUND_AT_MOST
from entitlements.models import Activation, Device
from entitlements.models.device import VISIBLE_PARTS, DeviceQuerySet
from mxportal.shared.pagination import COUNT_CAP, Arm, capped

NEWEST = ("-id",)
HEXADECIMAL = re.compile(r"[0-9A-F]{2,12}")


@dataclass(frozen=True)
class DeviceRow:
    """One device; ``copies`` are those of items that the reader is party to."""

    pk: int
    host_id: str
    type: str
    name: str
    model: str
    site: str
    account: str
    copies: int

    def __str__(self) -> str:
        return self.name or self.host_id


def device_rows(actor: User, devices: Iterable[Device]) -> list[DeviceRow]:
    """Two queries: the accounts' names, and the copies."""
    devices = list(devices)
    names = visible_names(actor, [device.account_id for device in devices])
    held = Activation.objects.visible_to(actor).held().filter(device__in=devices)
    copies = dict(held.values_list("device").annotate(Sum("copies")))
    return [
        DeviceRow(
            pk=device.pk,
            host_id=device.host_id,
            type=device.get_host_id_type_display(),
            name=device.name,
            model=device.model,
            site=device.site,
            account=names[device.account_id],
            copies=copies.get(device.pk, 0),
        )
        for device in devices
    ]


@dataclass(frozen=True)
class DeviceListing:
    """What the list shows: visible devices, and the arms that hold them. ``capped``: a search found more than that."""

    devices: DeviceQuerySet
    arms: list[Arm[Device]]
    capped: bool = False

    def count(self) -> str:
        """How many there are, counted no further than a list counts."""
        return capped(sum(arm.queryset.order_by()[: COUNT_CAP + 1].count() for arm in self.arms))


def list_devices(actor: User, *, q: str = "", account: int | None = None) -> DeviceListing:
    """The devices that the actor sees, or the newest of those that match."""
    devices, parts = Device.objects.visible_to(actor), _parts(actor)
    if account is not None:
        devices, parts = devices.filter(account=account), [part.filter(account=account) for part in parts]
    if not q:
        return DeviceListing(devices, [Arm(part) for part in parts])
    ids = sorted(_find(parts, q), reverse=True)
    shown = Device.objects.visible_to(actor).filter(pk__in=ids[:FOUND_AT_MOST])
    return DeviceListing(shown, [Arm(shown)], capped=len(ids) > FOUND_AT_MOST)


def _parts(actor: User) -> list[DeviceQuerySet]:
    if actor.account.is_mobotix:
        return [Device.objects.visible_to(actor)]
    return [Device.objects.visible_to_as(actor, part) for part in VISIBLE_PARTS]


def _find(parts: list[DeviceQuerySet], text: str) -> set[int]:
    found: set[int] = set()
    for condition in _conditions(text):
        for devices in parts:
            newest = devices.filter(condition).order_by("-pk").values_list("pk", flat=True)
            found.update(newest[: FOUND_AT_MOST + 1])
    return found


def _conditions(text: str) -> Iterator[Q]:
    """One for each index: with OR between them the planner uses none."""
    for host_id in {text, _as_mac(text)}:
        yield Q(host_id__icontains=host_id)
    yield Q(name__icontains=text)
    yield Q(site__icontains=text)


def _as_mac(text: str) -> str:
    """A MAC address, or an even part of one, as it is kept, however it was typed."""
    digits = BETWEEN_DIGITS.sub("", text).upper()
    if not HEXADECIMAL.fullmatch(digits) or len(digits) % 2:
        return text
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
