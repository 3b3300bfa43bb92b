"""The table of keys (E7), devices: for each service that takes one, a request of it, and another with the same key."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from entitlements.activation.services.activate import activate, activate_many
from entitlements.activation.services.devices import add_device
from entitlements.activation.services.rehosting import rehost, replace_device
from entitlements.activation.services.returns import return_copies
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import host, put_on
from tests.factories import Cast, make_chain
from tests.guards.keys import Asked

OTHER = "00:03:C5:00:00:02"


def activation(cast: Cast) -> Asked:
    """L2: the copies are the new total, so that the same request is the same without its key, too."""
    request = {"actor": cast.installer, "item_id": make_chain(cast).served.pk, "host": host(), "copies": 2}
    return Asked(activate, request, {"copies": 1})


def activations(cast: Cast) -> Asked:
    """L2: so are they for many devices."""
    item, lines = make_chain(cast).served, [(host(), 1), (host(OTHER), 1)]
    request = {"actor": cast.installer, "item_id": item.pk, "lines": lines}
    return Asked(activate_many, request, {"lines": lines[:1]})


def giving_back(cast: Cast) -> Asked:
    """L4."""
    given = put_on(cast, make_chain(cast).served, copies=4)
    request = {"actor": cast.installer, "activation_id": given.activation_id, "copies": 1}
    return Asked(return_copies, request, {"copies": 2})


def rehosting(cast: Cast) -> Asked:
    """L4."""
    given = put_on(cast, make_chain(cast).served, copies=4)
    request = {"actor": cast.installer, "activation_id": given.activation_id, "host": host(OTHER)}
    return Asked(rehost, request | {"copies": 1}, {"copies": 2})


def replacing(cast: Cast) -> Asked:
    """L4: without its key who asks again reads that nothing is left to move."""
    given = put_on(cast, make_chain(cast).served, typed=f"SN-{new_key()}")
    request = {"actor": cast.installer, "device_id": given.activation.device_id, "host": host(OTHER)}
    return Asked(replace_device, request, {"host": host("00:03:C5:00:00:03")}, ValidationError)


def adding(cast: Cast) -> Asked:
    """L1: without its key who asks again reads that the device is there."""
    request: dict[str, Any] = {"actor": cast.installer, "account_id": cast.installer.account_id}
    request["host"] = host(f"SN-{new_key()}")
    return Asked(add_device, request, {"notes": "Other"}, ValidationError)


KEYED: dict[str, Callable[[Cast], Asked]] = {
    "entitlements.activation.services.activate.activate": activation,
    "entitlements.activation.services.activate.activate_many": activations,
    "entitlements.activation.services.returns.return_copies": giving_back,
    "entitlements.activation.services.rehosting.rehost": rehosting,
    "entitlements.activation.services.rehosting.replace_device": replacing,
    "entitlements.activation.services.devices.add_device": adding,
}
