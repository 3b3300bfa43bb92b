"""The list of devices: which ones a reader sees, what a row shows, and the search in it (L1, E13).

Pages use the index ``device_newest`` or the primary key, the search a trigram index for each of its columns.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.visibility import visible_names
from entitlements.identifiers.host_ids import BETWEEN_DIGITS
from entitlements.items.search import MAX_FOUND
from entitlements.models import Activation, Device
from entitlements.models.device import VISIBLE_PARTS, DeviceQuerySet
from mxportal.shared.pagination import COUNT_CAP, IndexedPart, capped, first_rows
from mxportal.shared.spreadsheets import disarm

NEWEST = ("-id",)
HEXADECIMAL = re.compile(r"[0-9A-F]{2,12}")


@dataclass(frozen=True)
class DeviceRow:
    """One device; ``copies`` counts copies of items whose party the reader is (L1)."""

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
    """Return rows of visible devices. Two queries: the accounts' names, and the copies."""
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
    """Visible devices of the list and their query parts; ``capped`` where a search found more than it shows."""

    devices: DeviceQuerySet
    parts: list[IndexedPart[Device]]
    capped: bool = False

    def count(self) -> str:
        """Return how many devices there are, up to the cap of lists ("1,000+")."""
        return capped(sum(part.queryset.order_by()[: COUNT_CAP + 1].count() for part in self.parts))


def list_devices(actor: User, *, q: str = "", account: int | None = None) -> DeviceListing:
    """Return the devices that the actor sees, or the newest matching ones (L1)."""
    devices, parts = Device.objects.visible_to(actor), _parts(actor)
    if account is not None:
        devices, parts = devices.filter(account=account), [part.filter(account=account) for part in parts]
    if not q:
        return DeviceListing(devices, [IndexedPart(part) for part in parts])
    ids = sorted(_find(parts, q), reverse=True)
    shown = Device.objects.visible_to(actor).filter(pk__in=ids[:MAX_FOUND])
    return DeviceListing(shown, [IndexedPart(shown)], capped=len(ids) > MAX_FOUND)


def _parts(actor: User) -> list[DeviceQuerySet]:
    if actor.account.is_mobotix:
        return [Device.objects.visible_to(actor)]
    return [Device.objects.visible_to_as(actor, part) for part in VISIBLE_PARTS]


def _find(parts: list[DeviceQuerySet], text: str) -> set[int]:
    found: set[int] = set()
    for condition in _conditions(text):
        for devices in parts:
            newest = devices.filter(condition).order_by("-pk").values_list("pk", flat=True)
            found.update(newest[: MAX_FOUND + 1])
    return found


def _conditions(text: str) -> Iterator[Q]:
    """Yield one condition for each index: with OR between them the planner uses none."""
    for host_id in {text, _as_mac(text)}:
        yield Q(host_id__icontains=host_id)
    yield Q(name__icontains=text)
    yield Q(site__icontains=text)


def _as_mac(text: str) -> str:
    """Return a MAC address, or an even part of one, in the form in which it is kept; other text stays as typed."""
    digits = BETWEEN_DIGITS.sub("", text).upper()
    if not HEXADECIMAL.fullmatch(digits) or len(digits) % 2:
        return text
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


CSV_PORTION = 1000  # rows


def device_csv(actor: User, parts: Sequence[IndexedPart[Device]]) -> Iterator[bytes]:
    """Yield the list as CSV, newest first, in portions of a fixed cost.

    The file has a BOM and the language's delimiter, as Excel expects.
    """
    language = get_language() or "en"  # the portions are read after the request has ended
    yield "".encode("utf-8-sig") + _lines([_header()], language)
    last: tuple[int] | None = None
    while True:
        portion = first_rows(parts, order=NEWEST, size=CSV_PORTION, beyond=last)
        if not portion:
            return
        last = (portion[-1].pk,)
        with override(language):
            rows = [_row(row) for row in device_rows(actor, portion)]
        yield _lines(rows, language)


def _header() -> list[str]:
    return [
        _("Host ID"),
        _("Type of host ID"),
        _("Name"),
        _("Model"),
        _("Account"),
        _("Site"),
        _("Copies"),
    ]


def _row(row: object) -> list[str]:
    names = ("host_id", "type", "name", "model", "account", "site", "copies")
    return [str(getattr(row, name)) for name in names]


def _lines(rows: Sequence[Sequence[str]], language: str) -> bytes:
    text = io.StringIO()
    delimiter = ";" if language == "de" else ","
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerows([disarm(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
