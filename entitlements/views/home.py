"""Home."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.home_page import home_page


@requires(Permission.VIEW)
@require_safe
def home(request: PortalRequest) -> HttpResponse:
    """What needs doing: to hand on, expiring, failed mails, requests; and the last activity."""
    return render(request, "entitlements/home.html", {"this": home_page(request.user)})
