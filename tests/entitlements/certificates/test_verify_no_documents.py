"""Files that are neither a certificate nor a license give a sentence, within limits of work (L7)."""

import base64
import io
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from pypdf import PdfWriter
from pypdf.generic import NameObject, StreamObject

from entitlements.activation.formats.license_files import ALGORITHM, BEGIN, END
from entitlements.certificates.services import documents as document_verification
from entitlements.certificates.services.documents import (
    MAX_DOCUMENT_BYTES,
    MAX_PDF_STREAMS,
    FrugalReader,
    verify_document,
)
from entitlements.models import SigningKey
from tests.entitlements.certificates.test_signed_certificate import data_of, pdf_of
from tests.entitlements.certificates.test_verify_files import upload
from tests.entitlements.pages import errors_of
from tests.factories import Chain
from tests.roles import rotate_signing_key

pytestmark = pytest.mark.django_db


def sealed(**payload: Any) -> bytes:
    """A text in the form of a license file."""
    inner = json.dumps({"sig": "", "alg": ALGORITHM} | payload).encode()
    return "\n".join([BEGIN, base64.b64encode(inner).decode(), END]).encode()


def pdf_with(data: bytes | None = None, password: str = "", times: int = 1) -> bytes:
    """A PDF with other content attached as a certificate's data."""
    writer, file = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    for _time in range(times if data is not None else 0):
        stream = writer.add_attachment("certificate.json", data).pdf_object["/EF"]["/F"]  # type: ignore[index]
        stream[NameObject("/Filter")] = NameObject("/FlateDecode")
        stream._data = zlib.compress(data)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"x" * (MAX_DOCUMENT_BYTES + 1), "10 MB"),
        (b"hello", "neither a certificate nor a license file"),
        (b"[]", "neither a certificate nor a license file"),
        (b"[" * 100_000, "neither a certificate nor a license file"),
        (b"\x89PNG\r\n\x1a\n\x00", "neither a certificate nor a license file"),
        (b'{"format": "mx-license-certificate/1"}', "not have the form of a certificate"),
        (b'{"format": "mx-license-certificate/1", "head": NaN}', "neither a certificate nor a license file"),
        (
            b'{"format": "mx-license-certificate/1", "head": 1e999}',
            "neither a certificate nor a license file",
        ),
        (b"%PDF-1.7\nnothing", "cannot be read"),
        (b"%PDF-1.7\n" + b"\x00" * 10_000, "cannot be read"),
        (pdf_with(b"{}"), "neither a certificate nor a license file"),
        (pdf_with(b" " * (MAX_DOCUMENT_BYTES + 1)), "10 MB, unpacked"),
        (pdf_with(b"[" + b"[]," * 400_000), "10 MB, unpacked"),
        (pdf_with(bytes(100_000_000)), "cannot be read"),
        (pdf_with(bytes(2 * MAX_DOCUMENT_BYTES)), "cannot be read"),
        (pdf_with(), "no certificate data"),
        (pdf_with(password="secret"), "encrypted"),
        (b"-----BEGIN MACHINE FILE-----", "damaged"),
        (b"-----BEGIN MACHINE FILE-----\nAAAA\n-----END MACHINE FILE-----", "damaged"),
        (sealed(enc="\ud800.."), "damaged"),
        (sealed(enc=[".", "."]), "damaged"),
    ],
)
def test_files_that_are_none(client: Client, content: bytes, said: str) -> None:
    """L7: the error is a sentence at the field."""
    SigningKey.objects.exists() or rotate_signing_key()
    assert said in errors_of(upload(client, content))["file"][0]


@pytest.mark.slow
def test_many_attachments_of_one_name() -> None:
    """L7: only one is unpacked, because each can be a hundred times larger then."""
    content = pdf_with(b" " * MAX_DOCUMENT_BYTES, times=30)
    tracemalloc.start()
    with pytest.raises(ValidationError):
        verify_document(content)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10 * MAX_DOCUMENT_BYTES


def test_many_streams() -> None:
    """L7: the number of streams before the attachment is limited, too."""
    reader = FrugalReader(io.BytesIO(pdf_with()))
    for number in range(MAX_PDF_STREAMS):
        reader.cache_indirect_object(0, 100 + number, StreamObject())
    with pytest.raises(ValueError, match="too many streams"):
        reader.cache_indirect_object(0, 99, StreamObject())


def broken_table(entries: int) -> bytes:
    """A PDF whose table of objects is wrong in every entry."""
    table = b"xref\n0 %d\n" % entries + b"0000000010 00000 n \n" * entries
    return b"%PDF-1.7\n" + table + b"trailer\n<</Size 9/Root 1 0 R>>\nstartxref\n9\n%%EOF"


def test_a_broken_file_writes_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """L7: otherwise a file of 8 MB would write 400,000 log lines."""
    with pytest.raises(ValidationError, match="cannot be read"):
        verify_document(broken_table(100))
    assert caplog.records == []


def test_a_file_that_takes_too_long(monkeypatch: pytest.MonkeyPatch, chain: Chain) -> None:
    """L7: a file's size does not limit the time of reading; the portal does."""
    pdf = pdf_of(chain.served)
    verify_document(pdf)
    monkeypatch.setattr(document_verification, "MAX_PDF_SECONDS", 0)
    with pytest.raises(ValidationError, match="cannot be read"):
        verify_document(pdf)


@pytest.mark.slow
def test_very_many_lines(chain: Chain) -> None:
    """L7: more lines than SQLite takes in a query are refused."""
    data = data_of(pdf_of(chain.served))
    data["certificate"]["lines"] = [{"verification_code": ""}] * 260_000
    with pytest.raises(ValidationError, match="not have the form"):
        verify_document(json.dumps(data).encode())


def test_nothing_sent(client: Client) -> None:
    """The field says what is missing."""
    address = reverse("verify_start")
    assert list(errors_of(client.post(address, {"way": "file"}))) == ["file"]
    assert list(errors_of(client.post(address, {}))) == ["code"]
