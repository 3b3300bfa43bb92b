"""View → View Certificate (E10)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from accounts.quotas import Quota, spend
from entitlements.items.shortcuts import load_party_item, shown
from entitlements.models import LineItem, State
from entitlements.services.certificates import certificate_filename, certified, render_certificate
from mxportal.shared.pdf import PdfUnavailable

LANGUAGES = ("en", "de")


@requires(Permission.VIEW)
@require_safe
def line_item_certificate(request: PortalRequest, pk: int) -> HttpResponse:
    """The PDF of one line, or of all of its entitlement; owner, seller, serving account and MOBOTIX may have it."""
    item = load_party_item(request.user, pk)
    items = certified(item.entitlement) if request.GET.get("whole") == "1" else _alone(item)
    if not items:
        return _explain(request, item, _("There is no certificate of a line item in this state."), 409)
    spend(request.user, Quota.DOCUMENTS)
    try:
        content = render_certificate(items=items, language=_language(request))
    except PdfUnavailable as error:
        return _explain(request, item, str(error), 503)
    return _pdf(content, certificate_filename(items), download=request.GET.get("download") == "1")


def _alone(item: LineItem) -> list[LineItem]:
    """Neither drafts nor obsolete ones, as with the whole."""
    return [] if item.state in (State.DRAFT, State.OBSOLETE) else [item]


def _language(request: PortalRequest) -> str:
    """What the address asks for, or the reader's."""
    asked = request.GET.get("language", "")
    return asked if asked in LANGUAGES else get_language() or LANGUAGES[0]


def _explain(request: PortalRequest, item: LineItem, reason: str, status: int) -> HttpResponse:
    context = {"row": shown(request.user, item), "reason": reason}
    return render(request, "entitlements/line_item_certificate.html", context, status=status)


def _pdf(content: bytes, filename: str, *, download: bool) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    disposition = "attachment" if download else "inline"
    response["Content-Disposition"] = f'{disposition}; filename="{filename}"'
    return response
