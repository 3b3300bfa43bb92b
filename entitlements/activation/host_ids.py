"""L1: what names a device."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MAC_DIGITS = re.compile(r"[0-9A-F]{12}")
LIKE_A_MAC = re.compile(r"[0-9A-F]{2}:")
BETWEEN_DIGITS = re.compile(r"[\s:.\-]")
OTHER = re.compile(r"[A-Z0-9][A-Z0-9._:\-]{2,63}")
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
    if kind == HostIdType.MAC:
        return _mac(typed)
    host_id = "".join(typed.split()).upper()
    if not OTHER.fullmatch(host_id):
        raise ValidationError(_("Enter 3 to 64 letters, digits, dots, dashes, colons and underscores."))
    return host_id


def guess(typed: str) -> HostIdType:
    """What a host ID without a type is meant as: twelve hexadecimal digits, in a row or in pairs, are a MAC address.

    So is what begins like one, with a pair and a colon: a typing error in it must not make a serial number of it.
    """
    typed = typed.strip().upper()
    is_mac = LIKE_A_MAC.match(typed) or MAC_DIGITS.fullmatch(BETWEEN_DIGITS.sub("", typed))
    return HostIdType.MAC if is_mac else HostIdType.SERIAL


def _mac(typed: str) -> str:
    digits = BETWEEN_DIGITS.sub("", typed).upper()
    if not MAC_DIGITS.fullmatch(digits):
        raise ValidationError(
            _("Enter a MAC address as 12 hexadecimal digits, for example 00:03:C5:AA:BB:CC.")
        )
    address = ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    if address in NO_DEVICES:
        raise ValidationError(_("This MAC address belongs to no device."))
    return address
