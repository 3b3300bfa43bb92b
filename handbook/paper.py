"""The handbook as PDF, in the style of the certificates."""

from functools import cache
from threading import Lock
from typing import Any

from django.utils import translation

from handbook.contents import VOLUMES
from handbook.documents import ROOT, document
from handbook.rendering import PICTURES, Paper, rendered
from mxportal.shared.pdf import render_pdf

TEMPLATE = "handbook/paper.html"
STYLESHEET = "css/handbook_paper.css"
ONE_AT_A_TIME = (
    Lock()
)  # drawing takes seconds of CPU, and needs no login: who asks meanwhile waits for the first


def volume_pdf(audience: str, language: str) -> bytes:
    """Return the PDF for an audience. It is drawn once in a process: its text changes with the portal's version only.

    Raises PdfUnavailable with a sentence for the page where the machine lacks Pango.
    """
    with ONE_AT_A_TIME:
        return _drawn(audience, language)


@cache
def _drawn(audience: str, language: str) -> bytes:
    with translation.override(language):
        context = _context(audience, language)
    folder = ROOT / language / PICTURES
    pictures = {f"{language}/{file.name}": file for file in folder.glob("*.png")}
    return render_pdf(
        template=TEMPLATE, context=context, stylesheet=STYLESHEET, language=language, pictures=pictures
    )


def pdf_name(audience: str, language: str) -> str:
    """What the file is called."""
    return f"mx-license-portal-{audience}-{language}.pdf"


def _context(audience: str, language: str) -> dict[str, Any]:
    pages = VOLUMES[audience]
    medium = Paper(bound=frozenset(pages))
    parts = [
        {"text": document(page, language), "anchor": page, "html": rendered(page, language, medium)}
        for page in pages
    ]
    return {"title": document(audience, language).title, "parts": parts}
