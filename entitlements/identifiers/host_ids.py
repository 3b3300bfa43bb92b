"""L1: what names a device."""

import re
from ipaddress import IPv6Address

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mxportal.shared.refusals import refusal

MAC_DIGITS = re.compile(r"[0-9A-F]{12}")
LIKE_A_MAC = re.compile(r"[0-9A-F]{2}:")
BETWEEN_DIGITS = re.compile(r"[\s:.\-]")
OTHER = re.compile(r"[A-Z0-9][A-Z0-9._:\-]{2,63}")
OURS = "0003C5"  # MOBOTIX's prefix of MAC addresses
IPV4 = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]{1,5}|/[0-9]{1,2})?")
NO_DEVICES = {"00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF"}


class HostIdType(models.TextChoices):
    """Where a host ID comes from."""

    MAC = "mac", gettext_lazy("MAC address")
    SERIAL = "serial", gettext_lazy("Serial number")
    MXMC = "mxmc", gettext_lazy("MxMC installation")


def normalise(typed: str, kind: HostIdType) -> str:
    """The one form in which a host ID is kept and hashed: upper case, a MAC address as ``00:03:C5:AA:BB:CC``.

    Raises ValidationError, which says what is expected.
    """
    bare = "".join(typed.split())
    if _is_ip_address(bare):
        raise refusal(
            "ip-address",
            _("This is an IP address, which may change. Enter the MAC address or the serial number."),
        )
    if kind == HostIdType.MAC:
        return _mac(bare)
    if not bare.isascii() or not OTHER.fullmatch(bare.upper()):
        raise refusal(
            "wrong-host-id", _("Enter 3 to 64 letters, digits, dots, dashes, colons and underscores.")
        )
    if _begins_as_ours(bare):
        raise refusal(
            "mac-address",
            _("What begins with 00:03:C5 is a MAC address. Choose that type and enter its 12 digits."),
        )
    return bare.upper()


def guess(typed: str) -> HostIdType:
    """What a host ID without a type is meant as: twelve hexadecimal digits, in a row or in pairs, are a MAC address.

    So is what begins like one, with MOBOTIX's prefix or with a pair and a colon: a typing error in it must not make a
    serial number of it.
    """
    typed = typed.strip().upper()
    is_mac = LIKE_A_MAC.match(typed) or MAC_DIGITS.fullmatch(BETWEEN_DIGITS.sub("", typed))
    return HostIdType.MAC if is_mac or _begins_as_ours(typed) else HostIdType.SERIAL


def _begins_as_ours(typed: str) -> bool:
    return BETWEEN_DIGITS.sub("", typed).upper().startswith(OURS)


def _is_ip_address(bare: str) -> bool:
    """Also with a port or the length of a network; IPv6 also in brackets or with a zone."""
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
        raise refusal("wrong-mac-address", _("This MAC address belongs to no device."))
    return address
