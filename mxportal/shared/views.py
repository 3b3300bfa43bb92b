"""What the views of every app do around a service."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme

from mxportal.shared.drafts import posted
from mxportal.shared.forms import KeyedForm

__all__ = [
    "download",
    "file_headers",
    "missing_is_404",
    "own_address",
    "page_before",
    "posted",
    "submit",
    "with_query",
]
T = TypeVar("T")


@contextmanager
def missing_is_404() -> Iterator[None]:
    """Answer 404 for a row that a service does not find for the actor."""
    try:
        yield
    except ObjectDoesNotExist as error:
        raise Http404 from error


def submit(form: KeyedForm, service: Callable[..., T], *, keyed: bool = False, **known: Any) -> T | None:
    """Call the service with the form's values; return None while the form is not sent, not valid, or refused.

    The field then shows the service's refusal. ``keyed`` says that the service takes the form's key (E7). A draft only
    shows what was typed: the service is not called.
    """
    if not form.is_valid() or form.is_draft:
        return None
    if keyed:
        known["key"] = form.cleaned_data["key"]
    try:
        with missing_is_404():
            return service(**known, **form.service_data())
    except ValidationError as error:
        form.add_service_error(error)
        return None


def own_address(address: str, default: str = "") -> str:
    """Return an address to go back to, if it is a path of this site; otherwise the default."""
    # Browsers drop tabs and line breaks: after one of them, a second slash would name another host.
    is_clean = address.isprintable() and " " not in address
    is_path = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_clean and is_path else default


def page_before(request: HttpRequest, default: str) -> str:
    """Return the page of ours that had the button, as the browser names it; otherwise the default."""
    page = request.META.get("HTTP_REFERER", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return default
    parts = urlsplit(page)
    return own_address(f"{parts.path}?{parts.query}" if parts.query else parts.path, default)


def with_query(address: str, **values: object) -> str:
    """Return the address with these query parameters set."""
    path, __, query = address.partition("?")
    parameters = QueryDict(query, mutable=True)
    for name, value in values.items():
        parameters[name] = str(value)
    return f"{path}?{parameters.urlencode()}"


def file_headers(name: str, *, inline: bool = False) -> dict[str, str]:
    """Return the headers of a file that the browser saves under this name, or with ``inline`` shows."""
    return {"Content-Disposition": content_disposition_header(not inline, name) or "attachment"}


def download(content: str | bytes, name: str, content_type: str, *, inline: bool = False) -> HttpResponse:
    """Return a file that the browser saves under this name, or with ``inline`` shows."""
    return HttpResponse(content, content_type=content_type, headers=file_headers(name, inline=inline))


def please_wait(request: HttpRequest, seconds: int) -> HttpResponse:
    """Answer 429, with the time in minutes for people and in seconds for programs."""
    context = {"minutes": max(1, -(-seconds // 60))}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def wait_a_minute(request: HttpRequest) -> HttpResponse:
    """Answer for django-allauth's limits, all of which count by the minute."""
    return please_wait(request, 60)
