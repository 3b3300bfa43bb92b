"""Helpers that put copies on devices and return them."""

from entitlements.activation.services.activate import activate
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.returns import return_copies
from entitlements.identifiers.host_ids import guess_type
from entitlements.models import Activation, License, LineItem
from mxportal.shared.forms import new_key
from tests.factories import Cast

MAC = "00:03:C5:AA:BB:CC"


def host(typed: str = MAC) -> HostId:
    return HostId(typed=typed, kind=guess_type(typed), name="Entrance")


def put_on(cast: Cast, item: LineItem, copies: int = 2, typed: str = MAC, key: str = "") -> License:
    return activate(
        actor=cast.installer, item_id=item.pk, host=host(typed), copies=copies, key=key or new_key()
    )


def balances(item: LineItem) -> tuple[int, int, int]:
    return LineItem.objects.values_list("quantity", "available", "activated").get(pk=item.pk)


def give_back(cast: Cast, copies: int, **fields: object) -> Activation:
    fields = {"actor": cast.installer, "key": new_key()} | fields
    return return_copies(activation_id=Activation.objects.get().pk, copies=copies, **fields)  # type: ignore[arg-type]
