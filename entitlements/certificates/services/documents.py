"""Verification of files that the portal once signed: certificates and license files (L7)."""

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
from entitlements.certificates.services.data import ATTACHMENT_NAME, CERTIFICATE_FORMAT
from entitlements.certificates.services.license_checks import license_checks
from entitlements.ledger.findings import Document, Kind
from mxportal.shared.numbers import refuse_number

MAX_DOCUMENT_BYTES = 10 * 1024 * 1024  # of a file, and of its unpacked content
MAX_PDF_SECONDS = 2  # of CPU time; the portal's own PDFs take some hundredths of one
MAX_PDF_STREAMS = 20  # read before a PDF's attachment; the portal's own PDFs need about five
MAX_PARTS = 300_000  # objects and lists; a certificate of a thousand lines has some forty thousand
# The errors of reading data of any other form
BROKEN = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def verify_document(content: bytes) -> Document:
    """Return the checks of a certificate's PDF, of the JSON attached to it, or of a license file (L7).

    Raises ValidationError with a sentence where ``content`` is none of them.
    """
    if is_license(content):
        return Document(Kind.LICENSE, list(license_checks(license_text(content))))
    data = _parsed(_attached(content) if content.startswith(b"%PDF") else content)
    try:
        return Document(Kind.CERTIFICATE, list(certificate_checks(data)))
    except BROKEN as error:
        raise ValidationError(_("The data in the file does not have the form of a certificate.")) from error


def is_license(content: bytes) -> bool:
    """Return whether the content is a license file, by its first line."""
    return license_text(content[:200]).startswith(BEGIN)


def license_text(content: bytes) -> str:
    """Return the content as text, without the byte order mark that an editor may add."""
    return content.decode("utf-8-sig", "replace").strip()


class TimedFile(io.BytesIO):
    """A file that stops reading after MAX_PDF_SECONDS.

    A PDF's size does not limit the time that its parser takes.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._end = time.thread_time() + MAX_PDF_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes.

        Raises TimeoutError.
        """
        if time.thread_time() > self._end:
            raise TimeoutError("a PDF that takes too long")
        return super().read(size)


class FrugalReader(pypdf.PdfReader):
    """A reader that limits the number of streams, which it keeps unpacked; ``_attached`` limits the size of each."""

    streams = 0

    def cache_indirect_object(self, generation: int, idnum: int, obj: PdfObject | None) -> PdfObject | None:
        """Count streams before they are unpacked; every object passes here.

        Raises ValueError.
        """
        self.streams += isinstance(obj, StreamObject)
        if self.streams > MAX_PDF_STREAMS:
            raise ValueError("too many streams")
        return super().cache_indirect_object(generation, idnum, obj)


def _attached(content: bytes) -> bytes:
    """Return the data that the portal attached to its PDF.

    Raises ValidationError.
    """
    try:
        with pypdf.apply_configuration(stream_decoding_work_maximum_length=2 * MAX_DOCUMENT_BYTES):
            # strict: broken files are not repaired, which would take longest
            reader = FrugalReader(TimedFile(content), strict=True, xref_stream_maximum_entries=MAX_PARTS)
            if not reader.is_encrypted:
                # not ``attachments``, which unpacks every attachment of the name
                return next(one for one in reader.attachment_list if one.name == ATTACHMENT_NAME).content
    except StopIteration as error:
        raise ValidationError(
            _(
                "This PDF contains no certificate data. A scan or a printout cannot be checked: enter "
                "its code instead."
            )
        ) from error
    except Exception as error:  # anybody can make such a file, and its parser raises any error
        raise ValidationError(_("This PDF cannot be read. It may be damaged; ask for it again.")) from error
    raise ValidationError(_("This PDF is encrypted. The portal's certificates are not."))


def _parsed(content: bytes) -> dict[str, Any]:
    """Return the parsed data, whose parts are counted first.

    Python's objects take some thirty times the size of the shortest JSON. Raises ValidationError.
    """
    if len(content) > MAX_DOCUMENT_BYTES or content.count(b"[") + content.count(b"{") > MAX_PARTS:
        raise ValidationError(too_large())
    try:
        # signed data has whole numbers only, and canonical_json would write null for an infinite one
        data = json.loads(content, parse_float=refuse_number, parse_constant=refuse_number)
        if data["format"] == CERTIFICATE_FORMAT:
            return data
    except BROKEN as error:
        raise ValidationError(_neither_text()) from error
    raise ValidationError(_neither_text())


def too_large() -> str:
    """Return the sentence for a file that is too large."""
    return _("This file is too large to be checked here: at most 10 MB, unpacked.")


def _neither_text() -> str:
    return _("This is neither a certificate nor a license file of the portal.")
