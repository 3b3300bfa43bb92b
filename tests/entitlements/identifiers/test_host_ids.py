"""Host IDs: their types and their normal form (L1)."""

import pytest
from django.core.exceptions import ValidationError

from entitlements.identifiers.host_ids import HostIdType, guess_type, normalise
from tests.entitlements.activation.devices import MAC

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "typed", ["00:03:c5:aa:bb:cc", "0003C5AABBCC", "00-03-C5-AA-BB-CC", " 0003.c5aa.bbcc "]
)
def test_a_mac_address_in_any_form(typed: str) -> None:
    """L1: every form gives the same normal form."""
    assert normalise(typed, HostIdType.MAC) == MAC


@pytest.mark.parametrize(
    "typed",
    ["", "00:03:C5:AA:BB", "00:03:C5:AA:BB:CG", "00:00:00:00:00:00", "ff" * 6, "ﬀ" * 6, "192.168.100.200"],
)
def test_no_mac_address(typed: str) -> None:
    """L1: the error says what is expected."""
    with pytest.raises(ValidationError):
        normalise(typed, HostIdType.MAC)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("00-03-c5-aa-bb-cc", HostIdType.MAC),
        (" 00:03:c5:aa:bb:c", HostIdType.MAC),
        ("00:03:C5:10:20:40 Gate 3 1", HostIdType.MAC),
        ("0003C5AABBC", HostIdType.MAC),
        ("0003c5aabbcz", HostIdType.MAC),
        ("00-03-C5-AA-BB-CZ", HostIdType.MAC),
        ("0003.C5AA.BBCZ", HostIdType.MAC),
        ("0003C4AABBCZ", HostIdType.SERIAL),
        ("SN:10.2", HostIdType.SERIAL),
    ],
)
def test_what_a_host_id_is_meant_as(typed: str, kind: HostIdType) -> None:
    """L1: a MAC address with a typing error is no serial number."""
    assert guess_type(typed) == kind


IP_ADDRESSES = [
    "10.23.1.5",
    " 192.168.100.200 ",
    "010.023.001.005",
    "10.23.1.5:80",
    "10.23.1.5/24",
    "fe80::203:c5ff:feaa:bbcc",
    "FE80::203:C5FF:FEAA:BBCC%eth0",
    "2001:0db8:0000:0000:0203:c5ff:feaa:bbcc",
    "[2001:db8::5]",
    "::1",
]


@pytest.mark.parametrize("typed", IP_ADDRESSES)
@pytest.mark.parametrize("kind", [*HostIdType, None])
def test_an_ip_address_names_no_device(typed: str, kind: HostIdType | None) -> None:
    """L1: an IP address may become another camera's; twelve digits of one are no MAC address either."""
    with pytest.raises(ValidationError, match="This is an IP address"):
        normalise(typed, guess_type(typed) if kind is None else kind)


@pytest.mark.parametrize("typed", ["0003C5AABBCZ", "0003c5aabbcc", "00:03:C5:AA:BB:CC", "0003C5"])
def test_what_begins_as_our_mac_addresses_do_is_no_serial_number(typed: str) -> None:
    """L1: otherwise one camera would be two devices."""
    with pytest.raises(ValidationError, match="is a MAC address"):
        normalise(typed, HostIdType.SERIAL)


@pytest.mark.parametrize("typed", ["10.2.3-A", "10.23.1", "SN:10.2", "10.23.1.5-B", "M73-10.23.1.5.6"])
def test_serial_numbers_with_dots_stay(typed: str) -> None:
    """L1: a serial number may resemble an IP address."""
    assert normalise(typed, guess_type(typed)) == typed
