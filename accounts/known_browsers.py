"""Give a browser that somebody has logged in with its own count of wrong logins (U9).

So five wrong logins from elsewhere lock nobody out of their own browser. The cookie opens nothing: it only says which
count applies. It is valid for the password of its day, so that nobody can collect counts for the next one.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

COOKIE = "known_browser"
SALT = "accounts.known_browsers"
COOKIE_SECONDS = 180 * 24 * 3600
MAX_PERSONS = 5  # of one browser
STAMP_LENGTH = 16

Entries = dict[str, list[str]]  # by user: the browser's name, and a stamp of the password


def browser_of(request: HttpRequest, key: str) -> str:
    """Return the name of this browser for the person with this user ID; "" if the person has not logged in with it.

    Everything depends on the cookie alone, so that the answer takes the same time whether an address exists or not.
    """
    entries = _entries(request.COOKIES)
    for user in User.objects.filter(pk__in=entries) if entries else []:
        name, stamp = entries[str(user.pk)]
        if user.login == key and constant_time_compare(stamp, _stamp(user)):
            return f"{user.pk}:{name}"
    return ""


def remember(request: HttpRequest, user: User) -> None:
    """Remember that the person has logged in here, or set a password; the answer to the request gets the cookie."""
    request.known_user = user  # type: ignore[attr-defined]


class KnownBrowserMiddleware:
    """Sets the cookie, with the newest person first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user: User | None = getattr(request, "known_user", None)
        if user is not None:
            _set_cookie(response, _with_user(_entries(request.COOKIES), user))
        return response


def _with_user(entries: Entries, user: User) -> Entries:
    """Add the person with a new name for each login: a copied cookie's count is then not this browser's any more."""
    others = {pk: entry for pk, entry in entries.items() if pk != str(user.pk)}
    return {str(user.pk): [secrets.token_urlsafe(12), _stamp(user)]} | dict(
        list(others.items())[: MAX_PERSONS - 1]
    )


def _set_cookie(response: HttpResponse, entries: Entries) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps(entries, salt=SALT),
        max_age=COOKIE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _entries(cookies: Mapping[str, str]) -> Entries:
    """Return the cookie's entries, if it is ours."""
    try:
        entries: Any = signing.loads(cookies.get(COOKIE, ""), salt=SALT, max_age=COOKIE_SECONDS)
    except signing.BadSignature:
        return {}
    return dict(entries)


def _stamp(user: User) -> str:
    return salted_hmac(SALT, user.password).hexdigest()[:STAMP_LENGTH]
