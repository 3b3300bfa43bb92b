"""PDF/A-3a by WeasyPrint, which is imported at the first PDF, because it takes a second and needs Pango."""

import atexit
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from weasyprint import CSS, Attachment
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
VARIANT = "pdf/a-3a"
FONTS = frozenset(
    {
        "Barlow-Regular.ttf",
        "Barlow-Medium.ttf",
        "Barlow-SemiBold.ttf",
        "IBMPlexMono-Regular.ttf",
        "IBMPlexMono-Medium.ttf",
    }
)
# Threads share Pango's font map and what WeasyPrint caches with it, so a process draws one page at a time.
_drawing = threading.Lock()


class PdfUnavailable(Exception):
    """The machine lacks a library; the message says what to run."""


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A file inside the PDF, which has the page's contents as data."""

    name: str
    content: bytes
    description: str


def render_pdf(
    *,
    template: str,
    context: dict[str, Any],
    stylesheet: str,
    language: str,
    attached: Attached | None = None,
    pictures: Mapping[str, Path] | None = None,
) -> bytes:
    """Return the template as a tagged PDF/A-3a, in the given language (E10), with an attachment (L7).

    ``pictures`` are the PNG files that the page may show, each as ``picture:NAME``.

    A character for which the machine has no glyph would break PDF/A; its code is shown instead, as ``[U+1F600]``.
    Raises PdfUnavailable without Pango.
    """
    with translation.override(language):
        html = render_to_string(template, context)
    with _drawing:
        pdf, missing = _draw(html, stylesheet, attached, pictures or {})
        if missing:
            pdf, missing = _draw(html.translate(_codes(missing)), stylesheet, attached, pictures or {})
    return pdf


def _codes(codepoints: set[int]) -> dict[int, str]:
    return {codepoint: f"[U+{codepoint:04X}]" for codepoint in codepoints}


def _draw(
    html: str, stylesheet: str, attached: Attached | None, pictures: Mapping[str, Path]
) -> tuple[bytes, set[int]]:
    """Return the PDF, and the code points that no font of this machine contains."""
    weasyprint = _weasyprint()
    page = weasyprint.HTML(string=html, url_fetcher=_fetcher(pictures))
    document = page.render(stylesheets=[_stylesheet(stylesheet)], font_config=_fonts(), pdf_variant=VARIANT)
    if attached:
        document.metadata.attachments.append(_attachment(attached))
    pdf = document.write_pdf(pdf_variant=VARIANT)
    return pdf, {codepoint for font in document.fonts.values() for codepoint in font.missing}


def _attachment(attached: Attached) -> "Attachment":
    now = datetime.now(UTC)  # WeasyPrint writes any time as if it were UTC
    return _weasyprint().Attachment(
        string=attached.content,
        url_fetcher=_fetcher(),
        name=attached.name,
        description=attached.description,
        relationship="Data",
        created=now,
        modified=now,
    )


def _weasyprint() -> Any:
    try:
        import weasyprint
    except OSError as error:
        raise PdfUnavailable(
            _("PDF files cannot be made, because this machine lacks a library. Run as root: %(command)s")
            % {"command": PANGO}
        ) from error
    return weasyprint


@cache
def _fonts() -> "FontConfiguration":
    from weasyprint.text.fonts import FontConfiguration

    atexit.register(_forget)  # removes its folder of typefaces while Python can still do so
    return FontConfiguration()


def _forget() -> None:
    _stylesheet.cache_clear()
    _fonts.cache_clear()


@cache
def _stylesheet(name: str) -> "CSS":
    """Return one of our style sheets, parsed once in a process."""
    return _weasyprint().CSS(filename=_static_file(name), font_config=_fonts(), url_fetcher=_fetcher())


def _fetcher(pictures: Mapping[str, Path] | None = None) -> "URLFetcher":
    """Return a fetcher without network and disk: only the typefaces above, as font:NAME, and these pictures."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnFiles(URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
            scheme, _colon, name = url.partition(":")
            if scheme == "font" and name in FONTS:
                path, kind = Path(_static_file(f"fonts/{name}")), "font/ttf"
            elif scheme == "picture" and name in (pictures or {}):
                path, kind = (pictures or {})[name], "image/png"
            else:
                raise ValueError(f"A page must not fetch {url!r}.")
            return URLFetcherResponse(url, body=path.read_bytes(), headers={"Content-Type": kind})

    return OwnFiles()


def _static_file(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise ImproperlyConfigured(f"The static file {name!r} is missing.")
    return path
