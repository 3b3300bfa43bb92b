"""E10: the public page behind a certificate's QR code."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import public
from entitlements.services.verification import verified_lines


@public("whoever holds a certificate can check it; the page tells no name, no Activation ID and no order")
@never_cache
@require_safe
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """Genuine or not; product, quantity, state and dates."""
    lines = verified_lines(code)
    status = 200 if lines else 404
    response = render(request, "entitlements/verify.html", {"lines": lines}, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
