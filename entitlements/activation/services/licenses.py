"""L5: the license file of an activation."""

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
    """Within the caller's transaction and its lock of the item: end the valid license, give out one for ``copies``.

    ``activation.copies`` is what it held before. None where no copies are left, or the item is Obsolete: a part that
    comes back must not bring a revoked license to life (E3).
    """
    now = timezone.now()
    if activation.copies:  # else there is no valid one
        _end(activation.licenses.all(), now)
    if not copies or activation.item.state == State.OBSOLETE:
        return None
    license = License(activation=activation, copies=copies, key=active_key(), issued_at=now)
    license.file = license_file(license)
    license.digest = unpack(license.file).digest
    license.save()
    return license


def license_file(license: License) -> str:
    """What its number, copies and dates are, for who has Activation ID and host ID; signed with its key."""
    activation = license.activation
    return pack(
        _document(license),
        activation_id=activation.item.activation_id,
        host_id=activation.device.host_id,
        sign=partial(sign, license.key, Domain.MACHINE),
    )


def is_for_current_id(license: License) -> bool:
    """E5: whether its file opens with the Activation ID that the item has now, and not with a former one."""
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
    """E3: Obsolete revokes what was given out for the item; the copies stay where they are."""
    _end(License.objects.filter(activation__item=item), timezone.now())


def _end(licenses: QuerySet[License], now: datetime) -> None:
    """Those that are valid. What another process gave out while its clock was ahead has lasted no time at all."""
    licenses.filter(ended_at=None).update(ended_at=Greatest("issued_at", Value(now)))


def _document(license: License) -> dict[str, Any]:
    """The JSON:API document: the machine, and the license that it includes."""
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
            # readers of the format compare the expiry only where there is a ttl; permanent is null in both
            "ttl": int((end - license.issued_at).total_seconds()) if end else None,
            "keyId": license.key.key_id,
            "version": FORMAT_VERSION,
        },
    }


def _end_of(day: Any) -> datetime:
    """E14: an expiration day counts to its end in MOBOTIX's time zone."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), timezone.get_default_timezone())


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


MOST_FILES = 10  # by themselves; more come in an archive
MOST_ATTACHED = 500  # some 750 kB


def valid_licenses(items: Iterable[LineItem]) -> QuerySet[License]:
    """Of one or more items, newest first."""
    return License.objects.filter(activation__item__in=items, ended_at=None).order_by("-pk")


def licenses_to_attach(items: Iterable[LineItem]) -> tuple[list[License], int]:
    """The newest that open with the Activation ID of the mail (E5), and how many are left out."""
    licenses = valid_licenses(items)
    newest = list(licenses.select_related("activation__device", "activation__item")[:MOST_ATTACHED])
    left_out = licenses.count() - MOST_ATTACHED if len(newest) == MOST_ATTACHED else 0
    return [license for license in newest if is_for_current_id(license)], left_out
