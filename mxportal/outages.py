"""Answer 503 while the portal cannot work: when to try again, and what the person had typed (O2).

Nothing here uses the database.
"""

import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error as fault_of_ours

RETRY_AFTER = 15  # seconds
# The database is gone, full, too slow, locked, or read-only; PostgreSQL calls the last an InternalError.
OUTAGES = (OperationalError, InterfaceError)
READ_ONLY = "25006"
SECRET = "password"
TOKEN = "csrfmiddlewaretoken"
FORM_FIELDS = ("key", "step")  # sent again, but not typed by a person


Answer = Callable[[HttpRequest, bool, str], HttpResponse | None]
_answers: list[Answer] = []


def answers_outages(answer: Answer) -> Answer:
    """Register a function that answers programs, called with request, maintenance or not, and the operator's text.

    It returns None for a request of a person.
    """
    _answers.append(answer)
    return answer


def is_outage(error: BaseException | None) -> bool:
    """Return whether the same request may succeed later without a change of the portal."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "pgcode", "") == READ_ONLY
    return isinstance(error, OUTAGES)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that no view has caught: an outage with 503, every other fault with 500."""
    return unavailable(request) if is_outage(sys.exc_info()[1]) else fault_of_ours(request)


def unavailable(request: HttpRequest, *, maintenance: bool = False, message: str = "") -> HttpResponse:
    """Return the answer 503, as a problem for programs, a page for people; ``message`` is the operator's own text."""
    answers = (answer(request, maintenance, message) for answer in _answers)
    response = next((answer for answer in answers if answer), None) or _page(request, maintenance, message)
    response["Retry-After"] = str(RETRY_AFTER)
    add_never_cache_headers(response)
    return response


@requires_csrf_token
def _page(request: HttpRequest, maintenance: bool, message: str) -> HttpResponse:
    typed = _typed(request)
    current = translation.get_language() or settings.LANGUAGE_CODE
    context: dict[str, Any] = {
        "languages": sorted(dict(settings.LANGUAGES), key=lambda code: code != current),
        "maintenance": maintenance,
        "operator_message": message,
        "typed": typed,
        "shown": [
            (name.replace("_", " "), text) for name, text in typed if name not in FORM_FIELDS and text.strip()
        ],
        "has_files": bool(typed) and bool(request.FILES),
        "path": request.get_full_path(),
        "token": get_token(request) if typed else "",
    }
    return HttpResponse(render_to_string("503.html", context), status=503)


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the fields of a form that a person sent; none of a form with a password, which must be typed again.

    Only for a request that has passed the CSRF check: another site's form is not offered to be sent with one click.
    """
    if request.method != "POST" or not getattr(request, "csrf_processing_done", False):
        return []
    if any(SECRET in name.lower() for name in request.POST):
        return []
    return [(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN]
