"""L7: what holds of a file that the portal once signed, and what does not."""

import io
import json
import time
from typing import Any

import pypdf
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pypdf.generic import PdfObject, StreamObject

from entitlements.activation.formats.license_files import BEGIN
from entitlements.certificates.services.certificate_checks import certificate_checks
from entitlements.certificates.services.data import FORMAT, NAME
from entitlements.certificates.services.license_checks import license_checks
from entitlements.ledger.findings import Document, Kind
from mxportal.shared.numbers import refuse_number

LARGEST = 10 * 1024 * 1024  # bytes, of a file and of what is packed in it
MOST_SECONDS = 2  # of CPU for a PDF; ours take some hundredths of one
MOST_STREAMS = 20  # on the way to a PDF's attachment; ours need a handful
MOST_PARTS = 300_000  # objects and lists; a certificate of a thousand lines has some forty thousand
# What reading a file of any other shape gives
BROKEN = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def verify_document(content: bytes) -> Document:
    """For a certificate's PDF, the JSON attached to it, or a license file.

    Raises ValidationError with a sentence where it is none of them.
    """
    if is_license(content):
        return Document(Kind.LICENSE, list(license_checks(license_text(content))))
    data = _parsed(_attached(content) if content.startswith(b"%PDF") else content)
    try:
        return Document(Kind.CERTIFICATE, list(certificate_checks(data)))
    except BROKEN as error:
        raise ValidationError(_("The file's data has not the form of a certificate.")) from error


def is_license(content: bytes) -> bool:
    """It begins as one."""
    return license_text(content[:200]).startswith(BEGIN)


def license_text(content: bytes) -> str:
    """As a text, whatever an editor put in front."""
    return content.decode("utf-8-sig", "replace").strip()


class TimedFile(io.BytesIO):
    """How long a reader looks around in a PDF does not follow from its size: after a while nothing more is read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._end = time.thread_time() + MOST_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises TimeoutError."""
        if time.thread_time() > self._end:
            raise TimeoutError("a PDF that takes too long")
        return super().read(size)


class FrugalReader(pypdf.PdfReader):
    """It keeps all that it unpacked: the size of a stream is limited (``_attached``), and here their number."""

    streams = 0

    def cache_indirect_object(self, generation: int, idnum: int, obj: PdfObject | None) -> PdfObject | None:
        """Where each object comes along, before it is unpacked. Raises ValueError."""
        self.streams += isinstance(obj, StreamObject)
        if self.streams > MOST_STREAMS:
            raise ValueError("too many streams")
        return super().cache_indirect_object(generation, idnum, obj)


def _attached(content: bytes) -> bytes:
    """The data that the portal attached to its PDF."""
    try:
        with pypdf.apply_configuration(stream_decoding_work_maximum_length=2 * LARGEST):
            # strict: what is broken is not repaired, which takes longest
            reader = FrugalReader(TimedFile(content), strict=True, xref_stream_maximum_entries=MOST_PARTS)
            if not reader.is_encrypted:
                # not ``attachments``, which unpacks all that have the name
                return next(one for one in reader.attachment_list if one.name == NAME).content
    except StopIteration as error:
        raise ValidationError(
            _(
                "This PDF carries no data of a certificate. A scan or a print cannot be checked: enter its code."
            )
        ) from error
    except Exception as error:  # a file of anybody's making: its parser raises whatever it meets
        raise ValidationError(_("This PDF cannot be read. It may be damaged; ask for it again.")) from error
    raise ValidationError(_("This PDF is encrypted. The portal's certificates are not."))


def _parsed(content: bytes) -> dict[str, Any]:
    """Python's objects take some thirty times the room of the shortest JSON: their number is known before."""
    if len(content) > LARGEST or content.count(b"[") + content.count(b"{") > MOST_PARTS:
        raise ValidationError(too_large())
    try:
        # what is signed has whole numbers alone, and where one is infinite canonical_json would write null
        data = json.loads(content, parse_float=refuse_number, parse_constant=refuse_number)
        if data["format"] == FORMAT:
            return data
    except BROKEN as error:
        raise ValidationError(_neither()) from error
    raise ValidationError(_neither())


def too_large() -> str:
    """A sentence for the page."""
    return _("This file is larger than what can be checked here: 10 MB, unpacked.")


def _neither() -> str:
    return _("This is neither a certificate nor a license file of the portal.")
