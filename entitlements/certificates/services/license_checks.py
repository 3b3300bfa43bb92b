"""Checks of a license file: some for anybody, all for a reader with Activation ID and host ID (L5, L7)."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from entitlements.activation.formats.license_files import (
    CannotReadError,
    NotALicenseFileError,
    Sealed,
    read,
    unpack,
)
from entitlements.activation.services.licenses import is_for_current_id
from entitlements.identifiers.activation_ids import canonical
from entitlements.identifiers.host_ids import guess_type, normalise
from entitlements.ledger.findings import Check, key_check
from entitlements.ledger.signing import Domain, is_signed
from entitlements.models import License, SigningKey


def license_checks(text: str) -> Iterator[Check]:
    """Yield the checks that anybody may see, which tell nothing of the encrypted content (L7).

    Raises ValidationError where the text is no license file.
    """
    sealed = _unpacked(text)
    key = _signer(sealed)
    yield Check(_("This portal signed the license file"), key is not None)
    if key is None:
        return
    yield key_check(key)
    about = ("activation__item", "activation__device")
    license = License.objects.filter(digest=sealed.digest).select_related(*about).first()
    yield Check(_("This portal knows the license"), license is not None)
    if license is not None:
        yield _not_ended(license)
        yield _not_expired(license)
        if not is_for_current_id(license):
            yield Check(
                _("Its Activation ID has since been replaced; the license stays valid"), True, of_today=True
            )


def _not_ended(license: License) -> Check:
    if license.ended_at is None:
        return Check(_("It has been neither returned nor replaced by another one"), True, of_today=True)
    ended = _("It ended on %(day)s: it was returned, replaced by another one, or revoked")
    day = date_format(localtime(license.ended_at), "SHORT_DATE_FORMAT")
    return Check(ended % {"day": day}, False, of_today=True)


def _not_expired(license: License) -> Check:
    if license.activation.item.is_expired:
        return Check(_("It has expired"), False, of_today=True)
    return Check(_("It has not expired"), True, of_today=True)


def read_license(text: str, *, activation_id: str, host_id: str) -> dict[str, Any]:
    """Return the document in the file (L5).

    Raises ValidationError where the text is no license file, or is one for another Activation ID or host ID.
    """
    sealed, key = _unpacked(text), canonical(activation_id) or activation_id
    try:
        return read(sealed, activation_id=key, host_id=normalise(host_id, guess_type(host_id)))
    except CannotReadError as error:
        raise ValidationError(
            _("The license file is for another Activation ID or another host ID.")
        ) from error
    except NotALicenseFileError as error:
        raise ValidationError(_("The license file is damaged. Download it again.")) from error


def inside_checks(text: str, document: dict[str, Any]) -> Iterator[Check]:
    """Yield the checks that need the decrypted document."""
    signer = _signer(_unpacked(text))
    named = signer is not None and document["meta"]["keyId"] == signer.key_id
    yield Check(_("The license file names the key that signed it"), named)


def _unpacked(text: str) -> Sealed:
    try:
        return unpack(text)
    except NotALicenseFileError as error:
        raise ValidationError(_("The license file is damaged. Download it again.")) from error


def _signer(sealed: Sealed) -> SigningKey | None:
    """Return the key that signed the file, or None.

    Keys are tried from the newest on; there are as many as there were rotations.
    """
    keys = SigningKey.objects.order_by("-pk")
    return next(
        (key for key in keys if is_signed(key, Domain.MACHINE, sealed.signed, sealed.signature)), None
    )
