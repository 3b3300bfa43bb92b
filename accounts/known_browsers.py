"""U9: a browser that somebody has logged in with keeps its own count of wrong logins.

So five wrong logins from elsewhere keep no one out of the own browser. The cookie opens nothing: it says only which
count is meant. It holds for the password of its day, so that nobody collects counts for the next one.
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
SECONDS = 180 * 24 * 3600
MAX_PERSONS = 5  # persons of one browser
STAMP_LENGTH = 16

Entries = dict[str, list[str]]  # by the user's number: the browser's name, and what follows from the password


def browser_of(request: HttpRequest, key: str) -> str:
    """By which name this browser is known to the person with this user ID; "" where it is not.

    What is looked up depends on the cookie alone: whether an address exists costs no time here.
    """
    entries = _entries(request.COOKIES)
    for user in User.objects.filter(pk__in=entries) if entries else []:
        name, stamp = entries[str(user.pk)]
        if user.login == key and constant_time_compare(stamp, _stamp(user)):
            return f"{user.pk}:{name}"
    return ""


def remember(request: HttpRequest, user: User) -> None:
    """The person has logged in here, or set a password; the answer to the request brings the cookie."""
    request.known_user = user  # type: ignore[attr-defined]


class KnownBrowserMiddleware:
    """Sets the cookie, newest person first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user: User | None = getattr(request, "known_user", None)
        if user is not None:
            _set_cookie(response, _with(_entries(request.COOKIES), user))
        return response


def _with(entries: Entries, user: User) -> Entries:
    """A new name with each login: a count that an earlier copy of the cookie has used up is none of this browser's."""
    others = {pk: entry for pk, entry in entries.items() if pk != str(user.pk)}
    return {str(user.pk): [secrets.token_urlsafe(12), _stamp(user)]} | dict(
        list(others.items())[: MAX_PERSONS - 1]
    )


def _set_cookie(response: HttpResponse, entries: Entries) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps(entries, salt=SALT),
        max_age=SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _entries(cookies: Mapping[str, str]) -> Entries:
    """What the cookie says, where it is ours."""
    try:
        entries: Any = signing.loads(cookies.get(COOKIE, ""), salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return {}
    return dict(entries)


def _stamp(user: User) -> str:
    return salted_hmac(SALT, user.password).hexdigest()[:STAMP_LENGTH]
