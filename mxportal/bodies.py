"""Limit how much a request may send, by its announced length, before anything reads, parses or stores it (Q1).

Django reads no further than a request announces, so nobody can send more than the limit. A body without a length is
refused. The API has a limit of its own (`entitlements.api.middleware`).
"""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from mxportal.shared.stamps import FORM_BYTES

logger = logging.getLogger(__name__)

API = "/api/"
API_BYTES = 16 * 1024 * 1024  # more than the API's own limit, which answers in the API's form
PAGE_BYTES = 1024 * 1024  # for pages behind the login, some with hundreds of lines to correct
MAX_LENGTH_DIGITS = 12  # of a length; Python refuses numbers of some thousand digits


def most_bytes(path: str) -> int:
    """Return how many bytes a request to this path may send: by its view's stamp, or a page's worth, or a form's."""
    if path.startswith(API):
        return API_BYTES
    try:
        view = resolve(path).func
    except (Resolver404, UnicodeError):
        return FORM_BYTES
    default = PAGE_BYTES if getattr(view, "login_required", True) else FORM_BYTES
    return int(getattr(view, "most_bytes", default))


class BodyLimitMiddleware:
    """Answers 413 for more than the page takes, 411 for a body of unknown length, before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        status = 0 if request.path_info.startswith(API) else refused(request)
        return _page(request, status) if status else self.get_response(request)


def refused(request: HttpRequest, most: int | None = None) -> int:
    """Return the status to refuse the request with; 0 if it may go on. ``most`` replaces the path's own limit."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return 411
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length == "0":
        return 0
    if not (length.isascii() and length.isdecimal()) or len(length) > MAX_LENGTH_DIGITS:
        return 413
    return 413 if int(length) > (most_bytes(request.path_info) if most is None else most) else 0


def _page(request: HttpRequest, status: int) -> HttpResponse:
    """Render the refusal in the language that the request asks for, because nobody is logged in so early."""
    logger.info("Refused a body: %s", status)
    megabytes = max(most_bytes(request.path_info) // (1024 * 1024), 0)
    with translation.override(translation.get_language_from_request(request)):
        response = render(
            request, "413.html", {"megabytes": megabytes, "no_length": status == 411}, status=status
        )
    add_never_cache_headers(response)
    return response
