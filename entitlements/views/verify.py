"""E10, L7: what anybody can check: the code of a certificate, the certificate itself, a license file."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import client_address
from accounts.permissions import public
from entitlements.forms.verify import CODE, FILE, VerifyForm
from entitlements.services.document_verification import LARGEST
from entitlements.services.verification import verified_lines
from entitlements.views.waiting import please_wait
from mxportal.shared.drafts import keeps_draft, posted, shown_once
from mxportal.shared.limits import Left, count_up, network_of
from mxportal.shared.stamps import takes_up_to

MINUTE = 60


@public(
    "whoever holds a certificate or a license file can check it; the page tells no name and no Activation ID"
)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@takes_up_to(LARGEST)
@keeps_draft(has_form=False, visitor=client_address)
def verify_start(request: HttpRequest) -> HttpResponse:
    """Asks for a code, which has a page of its own, or a file, whose answer is kept nowhere."""
    sent = posted(request)
    if sent is None:
        return _unlisted(render(request, "entitlements/verify_start.html", {"form": VerifyForm()}))
    count = _count(request)
    if count.is_exceeded:
        return please_wait(request, count.seconds)
    way = FILE if sent.get("way") == FILE else CODE
    form = VerifyForm(sent, request.FILES, way=way)
    if not form.is_valid() or sent.is_draft:
        return _unlisted(render(request, "entitlements/verify_start.html", {"form": form}))
    if form.document is None:
        return redirect("verify", form.cleaned_data["code"])
    page = render(request, "entitlements/verify_document.html", {"document": form.document})
    return shown_once(_unlisted(page))


@public("whoever holds a certificate can check it; the page tells no name, no Activation ID and no order")
@never_cache
@require_safe
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """Genuine or not; product, quantity, state and dates."""
    count = _count(request)
    if count.is_exceeded:
        return please_wait(request, count.seconds)
    lines = verified_lines(code)
    status = 200 if lines else 404
    return _unlisted(render(request, "entitlements/verify.html", {"lines": lines}, status=status))


def _count(request: HttpRequest) -> Left:
    who = network_of(client_address(request))
    return count_up("verify", who, most=settings.VERIFICATIONS_A_MINUTE, seconds=MINUTE)


def _unlisted(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
