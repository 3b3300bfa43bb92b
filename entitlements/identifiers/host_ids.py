"""Host IDs, which identify devices: their types, their normal form and their check (L1)."""

import re
from ipaddress import IPv6Address

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mxportal.shared.refusals import refusal

MAC_DIGITS = re.compile(r"[0-9A-F]{12}")
PAIR_AND_COLON = re.compile(r"[0-9A-F]{2}:")
BETWEEN_DIGITS = re.compile(r"[\s:.\-]")
OTHER_HOST_ID = re.compile(r"[A-Z0-9][A-Z0-9._:\-]{2,63}")
MOBOTIX_MAC_PREFIX = "0003C5"
IPV4 = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]{1,5}|/[0-9]{1,2})?")
NO_DEVICES = {"00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF"}


class HostIdType(models.TextChoices):
    """The type of a host ID, which says where it comes from."""

    MAC = "mac", gettext_lazy("MAC address")
    SERIAL = "serial", gettext_lazy("Serial number")
    MXMC = "mxmc", gettext_lazy("MxMC installation")


def normalise(typed: str, kind: HostIdType) -> str:
    """Return the form in which a host ID is kept and hashed: upper case, a MAC address as ``00:03:C5:AA:BB:CC`` (L1).

    Raises ValidationError, whose message says what is expected.
    """
    bare = "".join(typed.split())
    if _is_ip_address(bare):
        raise refusal(
            "ip-address",
            _("This is an IP address, which may change. Enter the MAC address or the serial number."),
        )
    if kind == HostIdType.MAC:
        return _mac(bare)
    if not bare.isascii() or not OTHER_HOST_ID.fullmatch(bare.upper()):
        raise refusal(
            "wrong-host-id", _("Enter 3 to 64 letters, digits, dots, dashes, colons and underscores.")
        )
    if _has_mobotix_prefix(bare):
        raise refusal(
            "mac-address",
            _(
                "A host ID that begins with 00:03:C5 is a MAC address. Choose that type and enter its 12 digits."
            ),
        )
    return bare.upper()


def guess_type(typed: str) -> HostIdType:
    """Return the type that is meant by a host ID without a type (L1).

    Twelve hexadecimal digits, in a row or in pairs, are a MAC address. So is a text that begins like one, with
    MOBOTIX's prefix or with a pair of digits and a colon: a typing error in it must not make it a serial number.
    """
    typed = typed.strip().upper()
    is_mac = PAIR_AND_COLON.match(typed) or MAC_DIGITS.fullmatch(BETWEEN_DIGITS.sub("", typed))
    return HostIdType.MAC if is_mac or _has_mobotix_prefix(typed) else HostIdType.SERIAL


def _has_mobotix_prefix(typed: str) -> bool:
    return BETWEEN_DIGITS.sub("", typed).upper().startswith(MOBOTIX_MAC_PREFIX)


def _is_ip_address(bare: str) -> bool:
    """Return whether the text is an IP address.

    An address also counts with a port or with the length of a network; IPv6 also in brackets or with a zone.
    """
    if IPV4.fullmatch(bare):
        return True
    address = bare.partition("]")[0].removeprefix("[").partition("/")[0]
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return True


def _mac(typed: str) -> str:
    digits = BETWEEN_DIGITS.sub("", typed).upper() if typed.isascii() else ""
    if not MAC_DIGITS.fullmatch(digits):
        raise refusal(
            "wrong-mac-address",
            _("Enter a MAC address as 12 hexadecimal digits, for example 00:03:C5:AA:BB:CC."),
        )
    address = ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    if address in NO_DEVICES:
        raise refusal("wrong-mac-address", _("This MAC address cannot belong to a device."))
    return address
