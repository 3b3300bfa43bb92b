"""Stamps of views: without a login, and with larger requests."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]
FORM_BYTES = 64 * 1024  # of a form, without a file


def public(reason: str) -> Callable[[View], View]:
    """Stamp a view that needs no login, with the reason why not."""

    def stamp(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs)

        opened.public_reason = reason  # type: ignore[attr-defined]
        return login_not_required(opened)

    return stamp


def takes_up_to(most_bytes: int) -> Callable[[View], View]:
    """Stamp a view whose requests may be larger than usual forms, for example with a file (Q1)."""

    def stamp(view: View) -> View:
        view.most_bytes = most_bytes + FORM_BYTES  # type: ignore[attr-defined]
        return view

    return stamp
