"""Activate, return and rehost: the operations for the camera software (L2, L4)."""

from datetime import date, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Header, Router, Schema
from ninja.responses import Status

from accounts.http import client_address
from accounts.permissions import Permission
from entitlements.activation.services.activate import activate, activate_as_bearer, return_as_bearer
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.guesses import check_guesses, count_wrong_guess
from entitlements.activation.services.rehosting import rehost
from entitlements.activation.services.returns import return_copies
from entitlements.api.answers import once
from entitlements.api.auth import Token, TokenOrProof, TokenRequest
from entitlements.api.items import find_item_id
from entitlements.api.problems import Problem, key_missing
from entitlements.api.shapes import Copies, Id, IdempotencyKey, In, LastDay, Reason, Text100, location
from entitlements.identifiers.host_ids import HostIdType, guess_type
from entitlements.models import Activation, License, LineItem
from mxportal.shared.refusals import refusal

router = Router(tags=["Activation"])
PROOF = "for an End customer's item, who has the Activation ID needs no token (L2)"
BY_TOKEN_OR_PROOF: dict[str, Any] = {"security": [{"Token": []}, {}]}
OptionalKey = Annotated[
    str | None, Header(alias="idempotency-key", min_length=1, max_length=64, pattern=r"^[\x20-\x7e]+$")
]


class OfItem(In):
    """The line item, by its number or by its Activation ID. Without a token, only the Activation ID works."""

    item_id: Id | None = None
    activation_id: Text100 | None = None


class Host(OfItem):
    """A MAC address, a serial number or an MxMC installation (L1).

    Without ``host_id_type``, the portal detects the type.
    """

    host_id: Text100
    host_id_type: HostIdType | None = None

    def host(self, **details: str) -> HostId:
        """Return the host ID for the services."""
        return HostId(typed=self.host_id, kind=self.host_id_type or guess_type(self.host_id), **details)


class ActivationIn(Host):
    """``copies`` is the total number of copies on the device from now on (L2).

    ``name``, ``model`` and ``site`` are for a new device.
    """

    copies: Copies = 1
    name: Text100 = ""
    model: Text100 = ""
    site: Text100 = ""
    reason: Reason = ""


class ReturnIn(Host):
    """Without ``copies``, all copies on the device are returned (L4). Returning a part of them needs a token."""

    copies: Copies | None = None
    reason: Reason = ""


class RehostIn(Host):
    """The copies go from ``host_id`` to ``to_host_id`` (L4). Without ``copies``, all of them go."""

    to_host_id: Text100
    to_host_id_type: HostIdType | None = None
    copies: Copies | None = None
    name: Text100 = ""
    model: Text100 = ""
    site: Text100 = ""
    reason: Reason = ""


class LicenseOut(Schema):
    """``file`` is the license file (L5). It is null after the license has ended."""

    license_id: UUID
    item_id: int
    part_number: str
    product: str
    host_id: str
    host_id_type: HostIdType
    device: str
    copies: int
    starts_on: date
    expires_on: LastDay
    issued_at: datetime
    ended_at: datetime | None
    key_id: str
    file: str | None


class ReturnOut(Schema):
    """The copies that are still on the device. ``license`` is the new license for them, or null if there are none."""

    item_id: int
    host_id: str
    copies: int
    license: LicenseOut | None


@router.post(
    "/activations",
    auth=TokenOrProof(Permission.ACTIVATE, PROOF),
    response={201: LicenseOut},
    openapi_extra=BY_TOKEN_OR_PROOF,
)
def activation_create(
    request: TokenRequest, body: ActivationIn, idempotency_key: OptionalKey = None
) -> Status | HttpResponse:
    """Activate copies on a device. The same request again changes nothing and returns the same license."""
    host = body.host(name=body.name, model=body.model, site=body.site)
    if request.api_token is None:
        bearer = partial(activate_as_bearer, host=host, copies=body.copies)
        return Status(201, license_out(_as_bearer(request, body, bearer)))
    key = _required_key(idempotency_key)

    def activate_it() -> License:
        return activate(
            actor=request.user,
            item_id=_item_id(request, body),
            host=host,
            copies=body.copies,
            reason=body.reason,
            key=key,
        )

    return once(request, key, activate_it, license_out, status=201, headers=at_license)


@router.post(
    "/returns",
    auth=TokenOrProof(Permission.ACTIVATE, PROOF),
    response=ReturnOut,
    openapi_extra=BY_TOKEN_OR_PROOF,
)
def return_create(
    request: TokenRequest, body: ReturnIn, idempotency_key: OptionalKey = None
) -> ReturnOut | HttpResponse:
    """Return copies from a device to the line item.

    The license ends, and the copies count towards the yearly limit of returns.
    """
    host = body.host()
    if request.api_token is None:
        if body.copies is not None:
            raise refusal(
                "copies-not-possible",
                {"copies": _("Without a token, all copies are returned: leave this field out.")},
            )
        return _return_out(_as_bearer(request, body, partial(return_as_bearer, host=host)))
    key = _required_key(idempotency_key)

    def give_back() -> Activation:
        return return_copies(
            actor=request.user,
            activation_id=_activation_id(request, body),
            copies=body.copies,
            reason=body.reason,
            key=key,
        )

    return once(request, key, give_back, _return_out)


@router.post("/rehosts", auth=Token(Permission.ACTIVATE), response={201: LicenseOut})
def rehost_create(request: TokenRequest, body: RehostIn, idempotency_key: IdempotencyKey) -> HttpResponse:
    """Return copies from a device and activate them on another one, in one step. It counts as a return."""
    kind = body.to_host_id_type or guess_type(body.to_host_id)
    details = {"name": body.name, "model": body.model, "site": body.site}

    def rehost_it() -> License:
        return rehost(
            actor=request.user,
            activation_id=_activation_id(request, body),
            host=HostId(typed=body.to_host_id, kind=kind, **details),
            copies=body.copies,
            reason=body.reason,
            key=idempotency_key,
        )

    return once(request, idempotency_key, rehost_it, license_out, status=201, headers=at_license)


def _required_key(key: str | None) -> str:
    """Require a key from requests with a token."""
    if key is None:
        raise key_missing()
    return key


def _as_bearer(request: TokenRequest, body: OfItem, service: Any) -> Any:
    """Call the service with the Activation ID as proof, which allows a few wrong ones an hour (L2).

    An ID that is mistyped, unknown or not an End customer's gets the same answer.
    """
    if body.activation_id is None or body.item_id is not None:
        raise refusal(
            "activation-id-needed",
            {"activation_id": _("Without a token, identify the line item by its Activation ID.")},
        )
    address = client_address(request)
    check_guesses(address, [body.activation_id])
    try:
        return service(activation_id=body.activation_id)
    except LineItem.DoesNotExist as error:
        count_wrong_guess(address, body.activation_id)
        detail = _("This Activation ID cannot be used here. Compare it with the e-mail or the certificate.")
        raise Problem(404, "unknown-activation-id", detail) from error


def _item_id(request: TokenRequest, body: OfItem) -> int:
    """Return the item's primary key. Raises LineItem.DoesNotExist, ValidationError."""
    if (body.item_id is None) == (body.activation_id is None):
        raise refusal(
            "item-needed", {"item_id": _("Identify the line item by its number or by its Activation ID.")}
        )
    return body.item_id or find_item_id(request.user, body.activation_id or "")


def _activation_id(request: TokenRequest, body: Host) -> int:
    """Return the primary key of the item's activation on the device.

    Raises ValidationError if nothing of the item was ever on the device, LineItem.DoesNotExist.
    """
    item = LineItem.objects.visible_to(request.user).get(pk=_item_id(request, body))
    held = Activation.objects.visible_to(request.user).filter(item=item, device__host_id=body.host().normal)
    found = held.values_list("pk", flat=True).first()
    if found is None:
        message = _("No copy of this line item was ever activated on this device. Check the host ID.")
        raise refusal("not-on-device", {"host_id": message})
    return found


def _return_out(returned: Activation) -> ReturnOut:
    activation = Activation.objects.select_related("device").get(pk=returned.pk)
    valid = activation.licenses.valid().select_related(
        "activation__item__product", "activation__device", "key"
    )
    license = valid.first()
    return ReturnOut(
        item_id=activation.item_id,
        host_id=activation.device.host_id,
        copies=activation.copies,
        license=license_out(license) if license else None,
    )


def at_license(shown: LicenseOut) -> dict[str, str]:
    """Return the header with the address of a new license."""
    return location("licenses", shown.license_id)


def license_out(license: License) -> LicenseOut:
    """Return a license that the reader may have, with its item, product, device and key selected.

    It has no name and no Activation ID.
    """
    item, device = license.activation.item, license.activation.device
    return LicenseOut(
        license_id=license.license_id,
        item_id=item.pk,
        part_number=item.product.part_number,
        product=item.product.name,
        host_id=device.host_id,
        host_id_type=HostIdType(device.host_id_type),
        device=str(device),
        copies=license.copies,
        starts_on=item.starts_on,
        expires_on=item.expires_on,
        issued_at=license.issued_at,
        ended_at=license.ended_at,
        key_id=license.key.key_id,
        file=license.file if license.ended_at is None else None,
    )
