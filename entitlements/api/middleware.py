"""What applies to every request to the API, whether there is an operation for it or not."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from accounts.http import client_address
from accounts.models import ApiRequest, ApiToken
from accounts.services.api_tokens import find_token, note_use
from entitlements.api.auth import HEADER
from entitlements.api.problems import MEDIA_TYPE, problem, too_many
from mxportal.bodies import refused
from mxportal.shared.afterwards import write_afterwards
from mxportal.shared.limits import Usage, count_up, network_of
from mxportal.shared.request_id import current_request_id

API_PREFIX = "/api/v1/"
DOCS = f"{API_PREFIX}docs"  # a page for people
MINUTE = 60
SCHEME = "bearer "
MEGABYTE = 1024 * 1024
MAX_BODY_MB = 1  # MB
MAX_BULK_BODY_MB = 8  # MB, with a token: 10,000 lines with new customers are some 3 MB
BULK_SPLITS = f"{API_PREFIX}bulk-splits"


class ApiMiddleware:
    """No cookies; a limit for each token, or for each address without one; every refusal as a problem; a log.

    It comes before sessions and languages, which recognise requests by their cookies.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API_PREFIX) or request.path_info == DOCS:
            return self.get_response(request)
        request.COOKIES = {}
        started = time.monotonic()
        with translation.override(translation.get_language_from_request(request)):
            response = self._answer_head(request) if request.method == "HEAD" else self._answer(request)
        _keep_afterwards(request, response, round((time.monotonic() - started) * 1000))
        return response

    def _answer_head(self, request: HttpRequest) -> HttpResponse:
        """Answer like GET, without the body: gunicorn would drop it, too, and log a warning."""
        request.method = "GET"
        response = self._answer(request)
        request.method, response.content = "HEAD", b""
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        request.api_token = token = _token_of(request)  # type: ignore[attr-defined]
        left = _count(request, token)
        response = _refused(request, left) or _as_problem(self.get_response(request))
        if address := getattr(request, "next_page", None):
            response["Link"] = f'<{address}>; rel="next"'  # RFC 8288
        for name, value in (("Limit", left.most), ("Remaining", left.remaining), ("Reset", left.seconds)):
            response[f"RateLimit-{name}"] = str(value)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response


def _token_of(request: HttpRequest) -> ApiToken | None:
    sent = request.headers.get(HEADER, "")
    return find_token(sent[len(SCHEME) :].strip()) if sent.lower().startswith(SCHEME) else None


def _count(request: HttpRequest, token: ApiToken | None) -> Usage:
    """Count the request (P4). Requests without a valid token count by address, apart from those with a token."""
    if token is not None:
        return count_up("api-token", str(token.pk), most=settings.API_REQUESTS_A_MINUTE, seconds=MINUTE)
    who = network_of(client_address(request))
    return count_up("api-address", who, most=settings.API_REQUESTS_A_MINUTE_WITHOUT_TOKEN, seconds=MINUTE)


def _refused(request: HttpRequest, left: Usage) -> HttpResponse | None:
    """Refuse a request before any of it is read; None to let it pass."""
    if left.is_exceeded:
        return too_many(left.seconds)
    most = MAX_BULK_BODY_MB if request.path_info == BULK_SPLITS and request.api_token else MAX_BODY_MB  # type: ignore[attr-defined]
    status = refused(request, most * MEGABYTE)
    if status == 411:
        return problem(411, "length-required", _("Send the length of the body (Content-Length)."))
    if status:
        detail = _("The body is larger than %(megabytes)s MB. Send less at once.") % {"megabytes": most}
        return problem(413, "too-large", detail)
    return None


def _as_problem(response: HttpResponse) -> HttpResponse:
    """Turn Django's own answers – no such address, no such method, a fault of ours – into problems."""
    if response.status_code < 400 or response.headers.get("Content-Type") == MEDIA_TYPE:
        return response
    kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
    return problem(response.status_code, headers=kept)


def _keep_afterwards(request: HttpRequest, response: HttpResponse, duration_ms: int) -> None:
    """Log the request for the account's Portal Admins after its answer: reading never depends on a write (O1).

    Requests without a token cannot fill the table, because their limit comes first.
    """
    token: ApiToken | None = request.api_token  # type: ignore[attr-defined]
    route = request.resolver_match.route if request.resolver_match else ""
    if not route or (token is None and response.status_code == 429):
        return
    asked = ApiRequest(
        token=token,
        account_id=token.account_id if token else None,
        method=(request.method or "")[:10],
        route=f"/{route}"[:200],
        status=response.status_code,
        duration_ms=duration_ms,
        address=client_address(request),
        request_id=current_request_id(),
    )

    def keep() -> None:
        asked.save()
        if token is not None:
            note_use(token)

    write_afterwards(response, "api request", keep)
