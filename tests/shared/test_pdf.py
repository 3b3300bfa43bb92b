"""shared.pdf: the certificate's PDF (E10) is archivable, tagged, fetches nothing and sets any name."""

import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pypdf
import pytest
import segno
from django.utils.safestring import mark_safe

from mxportal.shared import pdf as shared_pdf
from mxportal.shared.pdf import PdfUnavailable, render_pdf

pytestmark = pytest.mark.once


def certificate(*, language: str = "en", **changes: Any) -> pypdf.PdfReader:
    """A certificate of one line, read back."""
    url = "https://licenses.example.com/verify/k3Jd82hsKQ0x9aB2"
    line = {
        "activation_id": "7KQ4-9XZ2-M3PD-0V8T-RW5C-H6JN-B1GS",
        "product_name": "MOBOTIX HUB Access",
        "part_number": "Mx-SW-HUB-L4",
        "quantity": 20,
        "starts_on": date(2025, 3, 1),
        "expires_on": date(9999, 12, 31),
        "verify_url": url,
        "qr_svg": mark_safe(segno.make(url, error="m").svg_inline(border=0, omitsize=True)),
    }
    context = {
        "issuer": {"name": "MOBOTIX AG", "address": ["Kaiserstrasse", "67722 Langmeil"]},
        "owner": {"name": "City Hospital", "address": ["12 Harbour Street", "Dublin 2"]},
        "seller": "Secure Vision Ltd",
        "entitlement_id": "ENT-2025-00042",
        "order_number": "PO-88123",
        "issued_on": date(2025, 11, 24),
        "lines": [line],
    } | changes
    content = render_pdf(
        template="certificates/certificate.html",
        context=context,
        stylesheet="css/certificate.css",
        language=language,
    )
    return pypdf.PdfReader(io.BytesIO(content))


def text(reader: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def fonts(reader: pypdf.PdfReader) -> list[Any]:
    """Descriptors of every font of every page."""
    return [
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    ]


@pytest.mark.slow
def test_it_is_a_tagged_pdf_a_3a() -> None:
    """E10: output intent, structure tree, language, title and the claim in the metadata are there."""
    reader = certificate()
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]
    assert root["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
    assert root["/Lang"] == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == "License certificate ENT-2025-00042"
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert re.search(r'pdfaid:part(="|>)3', xmp)
    assert re.search(r'pdfaid:conformance(="|>)A', xmp)


@pytest.mark.slow
def test_it_shows_what_the_certificate_must_show() -> None:
    """E10: parties, order, Activation ID, quantity and dates."""
    shown = text(certificate())
    for expected in (
        "City Hospital",
        "MOBOTIX AG",
        "Secure Vision Ltd",
        "ENT-2025-00042",
        "PO-88123",
        "\n20 1 Mar 2025",
    ):
        assert expected in shown
    assert "7KQ4-9XZ2-M3PD-0V8T-RW5C-H6JN-B1GS" in shown
    assert all(expected in shown for expected in ("1 Mar 2025", "24 Nov 2025", "Permanent"))


@pytest.mark.slow
def test_dates_and_language_are_the_readers() -> None:
    """E10: English or German."""
    reader = certificate(language="de")
    assert reader.trailer["/Root"]["/Lang"] == "de"
    assert "24.11.2025" in text(reader)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "東京病院",
        "مستشفى المدينة",
        "Городская больница",
        "W" * 500,
        "<script>alert(1)</script> {{ owner }}",
        "e\u0301\u200b",
    ],
)
def test_every_font_is_embedded_whatever_the_name(name: str) -> None:
    reader = certificate(owner={"name": name, "address": []})
    assert all("/FontFile2" in font or "/FontFile3" in font for font in fonts(reader))


@pytest.mark.slow
def test_markup_in_a_name_is_text() -> None:
    assert "<script>alert(1)</script>" in text(certificate(seller="<script>alert(1)</script>"))


@pytest.mark.slow
def test_a_character_without_a_glyph_is_shown_by_its_code() -> None:
    """A missing glyph would break PDF/A."""
    assert "Lab [U+10FFFD]" in text(certificate(owner={"name": "Lab \U0010fffd", "address": []}))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "file:///etc/passwd",
        "data:text/plain,x",
        "font:../../settings.py",
        "font:",
    ],
)
def test_nothing_is_fetched_but_our_typefaces(url: str) -> None:
    with pytest.raises(ValueError, match="must not fetch"):
        shared_pdf._fetcher().fetch(url)


def test_only_the_pictures_of_the_page_are_fetched(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(b"PNG")
    (tmp_path / "other.png").write_bytes(b"PNG")
    fetcher = shared_pdf._fetcher({"mine": tmp_path / "mine.png"})
    assert fetcher.fetch("picture:mine").read() == b"PNG"
    for url in (
        "picture:other",
        "picture:other.png",
        f"picture:{tmp_path}/other.png",
        f"file://{tmp_path}/mine.png",
    ):
        with pytest.raises(ValueError, match="must not fetch"):
            fetcher.fetch(url)


@pytest.mark.slow
def test_our_typefaces_are_used() -> None:
    names = {str(font["/FontName"]) for font in fonts(certificate())}
    assert all("Barlow" in name or "Plex" in name for name in names), names


@pytest.mark.slow
def test_several_threads_draw_at_once() -> None:
    with ThreadPoolExecutor(4) as threads:
        readers = list(threads.map(lambda number: certificate(order_number=f"PO-{number}"), range(8)))
    assert [f"PO-{number}" in text(reader) for number, reader in enumerate(readers)] == [True] * 8


class _NoPango:
    """What importing WeasyPrint meets on a machine without Pango."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")


def test_without_pango_the_sentence_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_NoPango(), *sys.meta_path])
    with pytest.raises(PdfUnavailable, match="apt-get install libpango"):
        certificate()
