"""Licenses and devices, as the token may see them; and what anyone needs to check a license file (L1, L5, L6)."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, Field

from accounts.permissions import Permission
from entitlements.activation.pages.devices import list_devices
from entitlements.api.activations import LicenseOut, license_out
from entitlements.api.auth import Token, TokenRequest, nobody
from entitlements.api.shapes import Page, PageQuery, QueryId, Text100, page_of
from entitlements.identifiers.host_ids import HostIdType
from entitlements.ledger.signing import public_keys
from entitlements.models import Device, License
from entitlements.models.activation import LicenseQuerySet
from mxportal.shared.pagination import IndexedPart

router = Router(tags=["Licenses and devices"])
FRESH_SECONDS = 60
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class LicenseQuery(PageQuery):
    """The licenses of a line item or of a device; only valid ones, or all."""

    item_id: QueryId | None = None
    host_id: Text100 | None = None
    ended: bool = False


class DeviceOut(Schema):
    """A device (L1)."""

    id: int
    account_id: str
    host_id: str
    host_id_type: HostIdType
    name: str
    model: str
    site: str
    notes: str

    @staticmethod
    def resolve_account_id(device: Device) -> str:
        """Return the Account ID: all who see a device may open its account."""
        return device.account.account_id


class DeviceQuery(PageQuery):
    """One host ID, in its normalised form."""

    host_id: Text100 | None = None


class Revocation(Schema):
    """A license file that is no longer valid."""

    license_id: UUID
    ended_at: datetime


class RevocationQuery(PageQuery):
    """Let requests overlap by one hour: the latest revocations may arrive late."""

    since: Annotated[AwareDatetime | None, Field(ge=EARLIEST, le=LATEST)] = None


@router.get("/licenses", auth=Token(Permission.VIEW), response=Page[LicenseOut])
def license_list(request: TokenRequest, query: Query[LicenseQuery]) -> Page[LicenseOut]:
    """List the licenses of the line items that the account owns, sold or looks after, newest first."""
    visible_parts = License.objects.parts_visible_to(request.user)
    parts = [IndexedPart(_for_out(_narrowed(part, query))) for part in visible_parts]
    visible = _for_out(License.objects.visible_to(request.user))
    items, address = page_of(request, visible, query, parts=parts)
    return Page(items=[license_out(license) for license in items], next=address)


def _narrowed(licenses: LicenseQuerySet, query: LicenseQuery) -> LicenseQuerySet:
    if query.item_id is not None:
        licenses = licenses.filter(activation__item=query.item_id)
    if query.host_id is not None:
        licenses = licenses.filter(activation__device__host_id=query.host_id)
    return licenses if query.ended else licenses.valid()


@router.get("/licenses/{uuid:license_id}", auth=Token(Permission.VIEW), response=LicenseOut)
def license_detail(request: TokenRequest, license_id: UUID) -> LicenseOut:
    """Get one license with its file."""
    licenses = License.objects.visible_to(request.user)
    return license_out(_for_out(licenses).get(license_id=license_id))


def _for_out(licenses: Any) -> Any:
    return licenses.select_related("activation__item__product", "activation__device", "key")


@router.get("/devices", auth=Token(Permission.VIEW), response=Page[DeviceOut])
def device_list(request: TokenRequest, query: Query[DeviceQuery]) -> Page[Any]:
    """List the devices of the account and of the End customers that it sells to, newest first."""
    listing = list_devices(request.user)
    parts = [IndexedPart(_with_account(part.queryset, query), part.same) for part in listing.parts]
    items, address = page_of(request, listing.devices, query, parts=parts)
    return Page.model_construct(items=items, next=address)


def _with_account(devices: QuerySet[Device], query: DeviceQuery) -> QuerySet[Device]:
    devices = devices.select_related("account")
    return devices if query.host_id is None else devices.filter(host_id=query.host_id)


@router.get("/devices/{int:device_id}", auth=Token(Permission.VIEW), response=DeviceOut)
def device_detail(request: TokenRequest, device_id: int) -> Device:
    """Get one device."""
    return Device.objects.visible_to(request.user).select_related("account").get(pk=device_id)


@router.get(
    "/revocations",
    auth=nobody("whoever checks a license file must learn whether it was returned (L6); it tells no name"),
    response=Page[Revocation],
)
def revocation_list(request: HttpRequest, response: HttpResponse, query: Query[RevocationQuery]) -> Page[Any]:
    """List the licenses that were returned, replaced or cancelled, oldest first."""
    patch_cache_control(response, public=True, max_age=FRESH_SECONDS)
    ended = License.objects.ended_since(query.since).only("license_id", "ended_at")
    items, address = page_of(request, ended, query, order=("ended_at", "id"))
    return Page.model_construct(items=items, next=address)


@router.get("/keys", auth=nobody("public keys are no secret (L6)"))
def key_list(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """Get the public keys as a JSON Web Key Set, as at ``/.well-known/jwks.json``."""
    patch_cache_control(response, public=True, max_age=FRESH_SECONDS)
    return public_keys()
