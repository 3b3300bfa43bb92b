"""What applies to every page of a logged-in user."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from structlog.contextvars import bind_contextvars

from accounts.models import User
from accounts.quotas import QuotaUsedUpError
from accounts.services.users import has_to_take_over, take_over
from mxportal.shared.afterwards import write_afterwards
from mxportal.shared.keys import READER

GetResponse = Callable[[HttpRequest], HttpResponse]
OPEN_BEFORE_PASSWORD_CHANGE = {"account_change_password", "account_logout", "set_language"}


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


class CleanCookiesMiddleware:
    """Drops our cookies that contain control characters, because PostgreSQL refuses NUL in a session's key.

    Browsers do not send such cookies, but a quoted cookie can contain one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        cookies = request.COOKIES
        if not all(value.isprintable() for value in cookies.values()):
            request.COOKIES = {name: value for name, value in cookies.items() if value.isprintable()}
        return self.get_response(request)


class UserPreferencesMiddleware:
    """Sets the user's own language and time zone after the login; before it, LocaleMiddleware has chosen (U8)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = _user(request)
        if user is None:
            return self.get_response(request)
        bind_contextvars(user_id=user.pk)  # for the log, and the log of tasks that the request starts
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language() or user.language
        reader = READER.set(user.pk)
        try:
            with timezone.override(zoneinfo.ZoneInfo(user.time_zone)):
                response = self.get_response(request)
        finally:
            READER.reset(reader)
        if has_to_take_over(user):  # a user who became an admin while logged in takes the account over, too
            write_afterwards(response, "account taken over", lambda: take_over(user))
        return response


class PasswordChangeMiddleware:
    """Allows only "Change your password" with a temporary password (U4)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Redirect, unless the page leads out of this state or needs no login."""
        user = _user(request)
        match = request.resolver_match
        if user is None or not user.must_change_password or not getattr(view, "login_required", True):
            return None
        if match and match.view_name in OPEN_BEFORE_PASSWORD_CHANGE:
            return None
        return redirect("account_change_password")


class QuotaMiddleware:
    """Says when a quota is free again (Q4). The API answers in its own form."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 429, with the time in minutes for people and in seconds for programs."""
        if not isinstance(error, QuotaUsedUpError):
            return None
        context = {"minutes": -(-error.left.seconds // 60), "is_person": True}
        response = render(request, "429.html", context, status=429)
        response["Retry-After"] = str(error.left.seconds)
        return response


class PrivatePagesMiddleware:
    """Keeps pages, which may have Activation IDs, out of every cache, also the browser's own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _user(request) is not None:
            add_never_cache_headers(response)
        return response
