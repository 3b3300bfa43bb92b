"""License files of activations (L5)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from entitlements.activation.formats.license_files import CannotReadError, pack, read, unpack
from entitlements.ledger.signing import Domain, active_key, sign
from entitlements.models import Activation, License, LineItem, State

FORMAT_VERSION = 1


def renew_license(activation: Activation, copies: int) -> License | None:
    """End the valid license and issue one for ``copies``, within the caller's transaction (L4).

    The caller has locked the item. ``activation.copies`` is the former number. Returns None where no copies are left or
    the item is Obsolete: a partial return must not make a revoked license valid (E3).
    """
    now = timezone.now()
    if activation.copies:  # otherwise no license is valid
        _end(activation.licenses.all(), now)
    if not copies or activation.item.state == State.OBSOLETE:
        return None
    license = License(activation=activation, copies=copies, key=active_key(), issued_at=now)
    license.file = license_file(license)
    license.digest = unpack(license.file).digest
    license.save()
    return license


def license_file(license: License) -> str:
    """Return the encrypted and signed file with number, copies and dates (L5).

    Readers need the Activation ID and the host ID.
    """
    activation = license.activation
    return pack(
        _document(license),
        activation_id=activation.item.activation_id,
        host_id=activation.device.host_id,
        sign=partial(sign, license.key, Domain.MACHINE),
    )


def is_for_current_id(license: License) -> bool:
    """Return whether the file opens with the item's present Activation ID, and not with a former one (E5)."""
    activation = license.activation
    try:
        read(
            unpack(license.file),
            activation_id=activation.item.activation_id,
            host_id=activation.device.host_id,
        )
    except CannotReadError:
        return False
    return True


def end_licenses(item: LineItem) -> None:
    """End all licenses of an item that becomes Obsolete; the copies stay on their devices (E3)."""
    _end(License.objects.filter(activation__item=item), timezone.now())


def _end(licenses: QuerySet[License], now: datetime) -> None:
    """End the valid ones among these licenses.

    Where another process issued one with its clock ahead, its end is its issue.
    """
    licenses.filter(ended_at=None).update(ended_at=Greatest("issued_at", Value(now)))


def _document(license: License) -> dict[str, Any]:
    """Return the JSON:API document: the machine, and the license that it includes."""
    activation = license.activation
    item, device, license_id = activation.item, activation.device, str(license.license_id)
    product = item.product
    end = None if item.is_permanent else _end_of(item.expires_on)
    expiry = _moment(end) if end else None
    return {
        "data": {
            "type": "machines",
            "id": str(device.pk),
            "attributes": {
                "fingerprint": device.host_id,
                "fingerprintType": device.host_id_type,
                "name": device.name,
            },
            "relationships": {"license": {"data": {"type": "licenses", "id": license_id}}},
        },
        "included": [
            {
                "type": "licenses",
                "id": license_id,
                "attributes": {
                    "name": product.name_en,
                    "partNumber": product.part_number,
                    "copies": license.copies,
                    "starts": item.starts_on.isoformat(),
                    "expiry": expiry,
                },
            },
            {
                "type": "entitlements",
                "id": str(product.pk),
                "attributes": {"code": product.part_number, "name": product.name_en},
            },
        ],
        "meta": {
            "issued": _moment(license.issued_at),
            "expiry": expiry,
            # readers of the format check the expiry only where there is a ttl; both are null for a permanent one
            "ttl": int((end - license.issued_at).total_seconds()) if end else None,
            "keyId": license.key.key_id,
            "version": FORMAT_VERSION,
        },
    }


def _end_of(day: Any) -> datetime:
    """Return the end of the expiration day in MOBOTIX's time zone (E14)."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), timezone.get_default_timezone())


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


MAX_SINGLE_FILES = 10  # more are put in an archive
MAX_ATTACHED_LICENSES = 500  # some 750 kB


def valid_licenses(items: Iterable[LineItem]) -> QuerySet[License]:
    """Return the valid licenses of these items, newest first."""
    return License.objects.filter(activation__item__in=items, ended_at=None).order_by("-pk")


def licenses_to_attach(items: Iterable[LineItem]) -> tuple[list[License], int]:
    """Return the newest licenses that open with the Activation ID of the mail, and how many are left out (E5)."""
    licenses = valid_licenses(items)
    newest = list(licenses.select_related("activation__device", "activation__item")[:MAX_ATTACHED_LICENSES])
    left_out = licenses.count() - MAX_ATTACHED_LICENSES if len(newest) == MAX_ATTACHED_LICENSES else 0
    return [license for license in newest if is_for_current_id(license)], left_out
