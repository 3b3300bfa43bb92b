"""Our certificate against the bare library, on the same page."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from entitlements.certificates.services import render as certificates
from entitlements.certificates.services.data import attached_certificate
from entitlements.models import Entitlement
from mxportal.shared import pdf
from tests.bench.clock import interleaved

ROUNDS = 20


def certificate_vs_warm_weasyprint() -> float:
    """From rows to PDF by the portal, proofs and signature included, over HTML to PDF by WeasyPrint, both warm.

    The bare library draws the portal's very page with its style sheet and typefaces, in the same PDF variant.
    """
    items = certificates.certified_items(Entitlement.objects.latest("pk"))
    context = certificates.certificate_context(items)
    html = render_to_string(certificates.TEMPLATE, context)
    attached = attached_certificate(context, items)

    def ours() -> bytes:
        return certificates.render_certificate(items=items, language="en")

    with _stylesheet_for_anybody() as stylesheet:
        _must_be_the_same_page(ours(), _bare(html, stylesheet, attached))
        mine, bare = interleaved(ours, lambda: _bare(html, stylesheet, attached), rounds=ROUNDS)
    return mine / bare


def _bare(html: str, stylesheet: str, attached: pdf.Attached) -> bytes:
    """Without a FontConfiguration the library would leave the typefaces out. The attachment is ready-made."""
    from weasyprint import CSS, HTML, Attachment
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    styles = CSS(filename=stylesheet, font_config=fonts)
    attachment = Attachment(string=attached.content, name=attached.name)
    return HTML(string=html).write_pdf(
        stylesheets=[styles], font_config=fonts, pdf_variant=pdf.VARIANT, attachments=[attachment]
    )


@contextmanager
def _stylesheet_for_anybody() -> Iterator[str]:
    """The portal's own addresses of typefaces, ``font:NAME``, made into those of files."""

    def address(match: re.Match[str]) -> str:
        return f'url("{Path(str(finders.find(f"fonts/{match[1]}"))).as_uri()}")'

    text = Path(str(finders.find(certificates.STYLESHEET))).read_text(encoding="utf-8")
    with tempfile.NamedTemporaryFile("w", suffix=".css", encoding="utf-8") as file:
        file.write(re.sub(r'url\("font:([^"]+)"\)', address, text))
        file.flush()
        yield file.name


def _must_be_the_same_page(*documents: Any) -> None:
    """The same typefaces and about the same size, or the figure would compare different work."""
    fonts = [set(re.findall(rb"/BaseFont\s*/(?:[A-Z]{6}\+)?([\w-]+)", document)) for document in documents]
    sizes = [len(document) for document in documents]
    if fonts[0] != fonts[1] or max(sizes) > 1.02 * min(sizes):
        raise AssertionError(f"The two certificates differ: {fonts}, {sizes} bytes")
