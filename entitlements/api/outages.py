"""The answer of the API while the portal cannot work: a problem, like every refusal (P1, O2)."""

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from entitlements.api.middleware import API_PREFIX, DOCS
from entitlements.api.problems import problem
from mxportal.outages import answers_outages


@answers_outages
def outage_problem(request: HttpRequest, maintenance: bool, message: str) -> HttpResponse | None:
    """Return the answer 503 as a problem; None for a page. ``message`` is the operator's own text."""
    if not request.path_info.startswith(API_PREFIX) or request.path_info == DOCS:
        return None
    with translation.override(translation.get_language_from_request(request)):
        if maintenance:
            detail = message or _("The portal is under maintenance. Send the same request again later.")
            return problem(503, "maintenance", detail)
        detail = _("The portal cannot reach its database. Send the same request again later.")
        return problem(503, "unavailable", detail)
