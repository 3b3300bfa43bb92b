"""What people and programs are told while the portal cannot work: 503, when to come again, and what they had typed.

Nothing here asks the database.
"""

import sys
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error as fault_of_ours

from entitlements.api.middleware import DOCS, PREFIX
from entitlements.api.problems import problem

RETRY_AFTER = 15  # seconds
# The database is gone, full, too slow, locked, or read-only; PostgreSQL calls the last an InternalError.
OUTAGES = (OperationalError, InterfaceError)
READ_ONLY = "25006"
SECRET = "password"
TOKEN = "csrfmiddlewaretoken"
OWN = ("key", "step")  # sent again, and nothing that a person typed


def is_outage(error: BaseException | None) -> bool:
    """Whether the same request may succeed later, although nobody changes the portal."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "pgcode", "") == READ_ONLY
    return isinstance(error, OUTAGES)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what no view has caught: an outage with 503, every other fault with 500."""
    return unavailable(request) if is_outage(sys.exc_info()[1]) else fault_of_ours(request)


def unavailable(request: HttpRequest, *, maintenance: bool = False, message: str = "") -> HttpResponse:
    """The answer 503, as a problem to programs and as a page to people; ``message`` is the operator's own word."""
    of_api = request.path_info.startswith(PREFIX) and request.path_info != DOCS
    response = _problem(request, maintenance, message) if of_api else _page(request, maintenance, message)
    response["Retry-After"] = str(RETRY_AFTER)
    add_never_cache_headers(response)
    return response


def _problem(request: HttpRequest, maintenance: bool, message: str) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        if maintenance:
            detail = message or _("The portal is under maintenance. Send the same request again later.")
            return problem(503, "maintenance", detail)
        detail = _("The portal cannot reach its database. Send the same request again later.")
        return problem(503, "unavailable", detail)


@requires_csrf_token
def _page(request: HttpRequest, maintenance: bool, message: str) -> HttpResponse:
    typed = _typed(request)
    current = translation.get_language() or settings.LANGUAGE_CODE
    context: dict[str, Any] = {
        "languages": sorted(dict(settings.LANGUAGES), key=lambda code: code != current),
        "maintenance": maintenance,
        "operator_message": message,
        "typed": typed,
        "shown": [(name.replace("_", " "), text) for name, text in typed if name not in OWN and text.strip()],
        "has_files": bool(typed) and bool(request.FILES),
        "path": request.get_full_path(),
        "token": get_token(request) if typed else "",
    }
    return HttpResponse(render_to_string("503.html", context), status=503)


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of a form that a person sent; nothing of one with a password, which is typed anew.

    Only of a request that has passed the CSRF check: another site's form is not shown, to be sent with one click.
    """
    if request.method != "POST" or not getattr(request, "csrf_processing_done", False):
        return []
    if any(SECRET in name.lower() for name in request.POST):
        return []
    return [(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN]
