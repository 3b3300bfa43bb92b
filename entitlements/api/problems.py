"""Errors in the form of RFC 9457: the same refusals as on the pages, for programs (P1, P5)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as ShapeError

from accounts.quotas import QuotaUsedUpError
from entitlements.activation.services.guesses import TooManyGuessesError
from mxportal.shared.forms import KEY_REUSED
from mxportal.shared.pdf import PdfUnavailable
from mxportal.shared.refusals import INVALID, Found, coded_by_field

MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPE = "urn:mx-license-portal:problem:"
KEY_HEADER = "idempotency-key"
# Names of fields of the services, and their names in the API.
API_FIELD_NAMES = {
    "owner": "account_id",
    "target": "account_id",
    "contact": "contact_email",
    "item": "item_id",
    "product": "part_number",
}
# Frequent mistakes in the reader's language; pydantic words all others, in English.
SHAPE_SENTENCES: dict[str, str | Promise] = {
    "missing": gettext_lazy("This field is required."),
    "extra_forbidden": gettext_lazy("This field is unknown."),
    "int_type": gettext_lazy("Enter a whole number."),
    "int_parsing": gettext_lazy("Enter a whole number."),
    "int_from_float": gettext_lazy("Enter a whole number."),
    "date_type": gettext_lazy("Enter a valid date."),
    "date_parsing": gettext_lazy("Enter a valid date."),
    "date_from_datetime_parsing": gettext_lazy("Enter a valid date."),
}
# Codes of pydantic that have a code of ours; all others are "invalid".
SHAPE_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown-field",
    "string_too_long": "too-long",
    "too_long": "too-long",
    "too_short": "too-short",
    "string_too_short": "too-short",
    "enum": "invalid-choice",
    "literal_error": "invalid-choice",
    "greater_than_equal": "out-of-range",
    "less_than_equal": "out-of-range",
}


class Problem(Exception):
    """An exception that ends a request with this answer."""

    def __init__(self, status: int, kind: str, detail: str = "", **headers: str) -> None:
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers
        super().__init__(kind)


def problem(
    status: int,
    kind: str = "",
    detail: str = "",
    *,
    found: Found | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return the answer. ``kind`` is the last part of its type; without one the type is that of HTTP (about:blank).

    ``found`` has codes and sentences by field. The problem's own code is the first of them, or otherwise the kind.
    """
    title = HTTPStatus(status).phrase
    codes = {name: [code for code, _sentence in pairs] for name, pairs in (found or {}).items()}
    first = next((code for listed in codes.values() for code in listed), "")
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE + kind if kind else "about:blank",
        "title": title,
        "status": status,
        "code": first or kind or title.lower().replace(" ", "-"),
        "detail": detail or title,
    }
    by_field = {name: pairs for name, pairs in (found or {}).items() if name != NON_FIELD_ERRORS}
    if by_field:
        body["errors"] = {name: [sentence for _code, sentence in pairs] for name, pairs in by_field.items()}
        body["codes"] = {name: codes[name] for name in by_field}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def key_missing() -> Problem:
    """Return the problem of a write without a key (P2)."""
    detail = _(
        "Send an Idempotency-Key of 1 to 64 printable characters with each request that changes something."
    )
    return Problem(400, "key-missing", detail)


def too_many(seconds: int) -> HttpResponse:
    """Return the answer to a request beyond the limit (P4)."""
    detail = _("Too many requests. Try again in %(seconds)s seconds.") % {"seconds": seconds}
    return problem(429, "too-many-requests", detail, headers={"Retry-After": str(seconds)})


def handle_problems(api: NinjaAPI) -> None:
    """Set the answer to each exception of a service."""
    for exception, handler in HANDLERS.items():
        api.add_exception_handler(exception, handler)


def _own(request: HttpRequest, error: Problem) -> HttpResponse:
    headers = {name.replace("_", "-"): value for name, value in error.headers.items()}
    return problem(error.status, error.kind, error.detail, headers=headers)


def _unauthorized(request: HttpRequest, error: Exception) -> HttpResponse:
    """Give the same answer for everything that can be wrong with a token."""
    detail = _("Send a valid API token: Authorization: Bearer mxp_…")
    return problem(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="api"'})


def _forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return problem(403, "forbidden", str(error) or _("This token does not allow this request."))


def _missing(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(404, "not-found", _("Not found, or this token may not see it."))


def _reused() -> HttpResponse:
    detail = _("This Idempotency-Key was used for another request. Use a new one for each request.")
    return problem(409, "key-reused", detail)


def _raced(request: HttpRequest, error: IntegrityError) -> HttpResponse:
    """Refuse the second of two requests at once under one key that hold different locks; the index found it (P2)."""
    if not any(name in str(error) for name in ("operation_key_once", "accounts_operation.key")):
        raise error
    return _reused()


def _refused(request: HttpRequest, error: ValidationError) -> HttpResponse:
    if getattr(error, "code", "") == KEY_REUSED:
        return _reused()
    found = {API_FIELD_NAMES.get(name, name): pairs for name, pairs in coded_by_field(error).items()}
    found = {name: found[name] for name in sorted(found, key=lambda name: name != NON_FIELD_ERRORS)}
    return problem(422, "refused", _first_sentence(found), found=found)


def _first_sentence(found: Found) -> str:
    return next(sentence for pairs in found.values() for _code, sentence in pairs)


def _wrong_shape(request: HttpRequest, error: ShapeError) -> HttpResponse:
    """Refuse a body or a query that does not have the described form."""
    found: Found = {}
    for one in error.errors:
        source, *where = one["loc"]
        code, sentence = (
            SHAPE_CODES.get(one["type"], INVALID),
            str(SHAPE_SENTENCES.get(one["type"], one["msg"])),
        )
        found.setdefault(_place(source, where), []).append((code, sentence))
    if KEY_HEADER in found:
        return _own(request, key_missing())
    return problem(422, "refused", _first_sentence(found), found=found)


def _place(source: str, where: list[Any]) -> str:
    """Return the field's name as in the body; ninja puts the name of the function's parameter before it."""
    parts = where[1:] if source == "body" and len(where) > 1 else where
    return ".".join(str(part) for part in parts).lower() if source == "header" else ".".join(map(str, parts))


def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer ninja's own errors; if a body could not be read, our parser's problem is the cause."""
    if isinstance(error.__cause__, Problem):
        return _own(request, error.__cause__)
    return problem(error.status_code, "", str(error))


def _used_up(request: HttpRequest, error: QuotaUsedUpError) -> HttpResponse:
    return too_many(error.left.seconds)


def _guessed(request: HttpRequest, error: TooManyGuessesError) -> HttpResponse:
    return too_many(error.left.seconds)


def _no_pdf(request: HttpRequest, error: PdfUnavailable) -> HttpResponse:
    return problem(503, "unavailable", str(error))


HANDLERS: dict[type[Exception], Any] = {
    Problem: _own,
    AuthenticationError: _unauthorized,
    PermissionDenied: _forbidden,
    ObjectDoesNotExist: _missing,
    Http404: _missing,
    ValidationError: _refused,
    ShapeError: _wrong_shape,
    HttpError: _http,
    TooManyGuessesError: _guessed,
    QuotaUsedUpError: _used_up,
    PdfUnavailable: _no_pdf,
    IntegrityError: _raced,
}
