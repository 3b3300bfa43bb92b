"""The stamp of a view that needs no login, for the pages of the project and of every app."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]


def public(reason: str) -> Callable[[View], View]:
    """Stamp a view that needs no login, with the reason why not."""

    def stamp(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs)

        opened.public_reason = reason  # type: ignore[attr-defined]
        return login_not_required(opened)

    return stamp
