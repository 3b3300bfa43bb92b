"""Pages for certificates: verification, which needs no login, the PDF, and the public keys (E10, L7)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest, client_address
from accounts.permissions import Permission, public, requires
from accounts.quotas import Quota, spend
from entitlements.certificates.forms import CODE, FILE, VerifyForm
from entitlements.certificates.services.codes import verified_lines
from entitlements.certificates.services.documents import MAX_DOCUMENT_BYTES
from entitlements.certificates.services.render import (
    certificate_filename,
    certified_items,
    render_certificate,
)
from entitlements.items.shortcuts import load_party_item, shown
from entitlements.ledger.signing import public_keys
from entitlements.models import LineItem, State
from mxportal.shared.drafts import keeps_draft, posted, shown_once
from mxportal.shared.limits import Usage, count_up, network_of
from mxportal.shared.pdf import PdfUnavailable
from mxportal.shared.stamps import takes_up_to
from mxportal.shared.views import download, please_wait

MINUTE = 60


@public(
    "anybody with a certificate or a license file can check it; the page tells no name and no Activation ID"
)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@takes_up_to(MAX_DOCUMENT_BYTES)
@keeps_draft(has_form=False, visitor=client_address)
def verify_start(request: HttpRequest) -> HttpResponse:
    """Ask for a code, which has its own page, or a file, whose result is stored nowhere (L7)."""
    sent = posted(request)
    if sent is None:
        return _without_indexing(
            render(request, "entitlements/certificates/verify_start.html", {"form": VerifyForm()})
        )
    count = _count(request)
    if count.is_exceeded:
        return please_wait(request, count.seconds)
    way = FILE if sent.get("way") == FILE else CODE
    form = VerifyForm(sent, request.FILES, way=way)
    if not form.is_valid() or sent.is_draft:
        return _without_indexing(
            render(request, "entitlements/certificates/verify_start.html", {"form": form})
        )
    if form.document is None:
        return redirect("verify", form.cleaned_data["code"])
    page = render(request, "entitlements/certificates/verify_document.html", {"document": form.document})
    return shown_once(_without_indexing(page))


@public("anybody with a certificate can check it; the page tells no name, no Activation ID and no order")
@never_cache
@require_safe
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """Show whether the code is genuine, with product, quantity, state and dates (E10)."""
    count = _count(request)
    if count.is_exceeded:
        return please_wait(request, count.seconds)
    lines = verified_lines(code)
    status = 200 if lines else 404
    return _without_indexing(
        render(request, "entitlements/certificates/verify.html", {"lines": lines}, status=status)
    )


def _count(request: HttpRequest) -> Usage:
    who = network_of(client_address(request))
    return count_up("verify", who, most=settings.VERIFICATIONS_A_MINUTE, seconds=MINUTE)


def _without_indexing(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


LANGUAGES = ("en", "de")


@requires(Permission.VIEW)
@require_safe
def line_item_certificate(request: PortalRequest, pk: int) -> HttpResponse:
    """Return the PDF of one line, or of its whole entitlement, for owner, seller, serving account and MOBOTIX (E10)."""
    item = load_party_item(request.user, pk)
    items = certified_items(item.entitlement) if request.GET.get("whole") == "1" else _single_item(item)
    if not items:
        return _explain(request, item, _("A line item in this state has no certificate."), 409)
    spend(request.user, Quota.DOCUMENTS)
    try:
        content = render_certificate(items=items, language=_language(request))
    except PdfUnavailable as error:
        return _explain(request, item, str(error), 503)
    is_saved = request.GET.get("download") == "1"
    return download(content, certificate_filename(items), "application/pdf", inline=not is_saved)


def _single_item(item: LineItem) -> list[LineItem]:
    """Return the item as a list; no item if it is a draft or obsolete, as in ``certified_items``."""
    return [] if item.state in (State.DRAFT, State.OBSOLETE) else [item]


def _language(request: PortalRequest) -> str:
    """Return the language that the address asks for, or the reader's."""
    asked = request.GET.get("language", "")
    return asked if asked in LANGUAGES else get_language() or LANGUAGES[0]


def _explain(request: PortalRequest, item: LineItem, reason: str, status: int) -> HttpResponse:
    context = {"row": shown(request.user, item), "reason": reason}
    return render(request, "entitlements/certificates/line_item_certificate.html", context, status=status)


@public("signatures are checked without the portal; public keys are no secret")
@cache_control(public=True, max_age=300)
@require_safe
def jwks(request: HttpRequest) -> JsonResponse:
    """Return the public keys as a JSON Web Key Set (L6).

    Clients see a rotation after at most five minutes.
    """
    return JsonResponse(public_keys(), content_type="application/jwk-set+json")
