"""Help: the pages of the handbook, and their PDF files."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, public, requires
from handbook.contents import FIRST_PAGE, page_url, pages_for, pdf_url
from handbook.documents import LANGUAGES, document
from handbook.paper import pdf_name, volume_pdf
from handbook.rendering import Screen, rendered
from mxportal.shared.pdf import PdfUnavailable
from mxportal.shared.views import download

OPEN = "The handbook also explains the log-in, and who activates offline or verifies has none."


@public(OPEN)
@require_safe
def handbook_index(request: HttpRequest) -> HttpResponse:
    """The first page of the handbook."""
    return _show(request, FIRST_PAGE)


@public(OPEN)
@require_safe
def handbook_page(request: HttpRequest, page: str) -> HttpResponse:
    """A page for everybody."""
    return _show(request, page)


@requires(Permission.READ_MOBOTIX_HELP)
@require_safe
def handbook_mobotix_page(request: HttpRequest, page: str) -> HttpResponse:
    """A page for MOBOTIX."""
    return _show(request, page)


@public(OPEN)
@require_safe
def handbook_pdf(request: HttpRequest, audience: str) -> HttpResponse:
    """The PDF for an audience of partners."""
    return _pdf(request, audience)


@requires(Permission.READ_MOBOTIX_HELP)
@require_safe
def handbook_mobotix_pdf(request: HttpRequest, audience: str) -> HttpResponse:
    """The PDF for an audience at MOBOTIX."""
    return _pdf(request, audience)


def _show(request: HttpRequest, page: str) -> HttpResponse:
    """The page in the reader's language, with the menu of the pages that the reader may open."""
    language, pages = _language(), pages_for(request.user)
    place = pages.index(page)
    entries = [_entry(name, language) for name in pages]
    context: dict[str, Any] = {
        "text": document(page, language),
        "html": rendered(page, language, Screen(readable=frozenset(pages))),
        "pages": entries,
        "previous": entries[place - 1] if place else None,
        "next": entries[place + 1] if place + 1 < len(entries) else None,
        "pdf_url": pdf_url(page),
    }
    return render(request, "handbook/page.html", context)


def _entry(page: str, language: str) -> dict[str, str]:
    return {"page": page, "url": page_url(page), "title": document(page, language).title}


def _pdf(request: HttpRequest, audience: str) -> HttpResponse:
    language = _language()
    try:
        content = volume_pdf(audience, language)
    except PdfUnavailable as error:
        return render(request, "handbook/no_pdf.html", {"reason": str(error)}, status=503)
    return download(content, pdf_name(audience, language), "application/pdf", inline=True)


def _language() -> str:
    language = get_language() or ""
    return language if language in LANGUAGES else LANGUAGES[0]
