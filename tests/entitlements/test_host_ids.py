"""L1: what names a device."""

import pytest
from django.core.exceptions import ValidationError

from entitlements.activation.host_ids import HostIdType, guess, normalise
from tests.entitlements.devices import MAC


@pytest.mark.parametrize(
    "typed", ["00:03:c5:aa:bb:cc", "0003C5AABBCC", "00-03-C5-AA-BB-CC", " 0003.c5aa.bbcc "]
)
def test_a_mac_address_in_any_form(typed: str) -> None:
    """L1: kept in one."""
    assert normalise(typed, HostIdType.MAC) == MAC


@pytest.mark.parametrize("typed", ["", "00:03:C5:AA:BB", "00:03:C5:AA:BB:CG", "00:00:00:00:00:00", "ff" * 6])
def test_no_mac_address(typed: str) -> None:
    """L1: a sentence says what is expected."""
    with pytest.raises(ValidationError):
        normalise(typed, HostIdType.MAC)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("00-03-c5-aa-bb-cc", HostIdType.MAC),
        (" 00:03:c5:aa:bb:c", HostIdType.MAC),
        ("00:03:C5:10:20:40 Gate 3 1", HostIdType.MAC),
        ("0003C5AABBC", HostIdType.SERIAL),
        ("SN:10.2", HostIdType.SERIAL),
    ],
)
def test_what_a_host_id_is_meant_as(typed: str, kind: HostIdType) -> None:
    """L1: a MAC address with a typing error is no serial number."""
    assert guess(typed) == kind
