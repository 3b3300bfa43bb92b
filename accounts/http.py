"""The request as every view behind the login gets it, and where any request comes from."""

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User


class PortalRequest(HttpRequest):
    """LoginRequiredMiddleware has let it pass, so its user is one of ours."""

    user: User


def client_address(request: HttpRequest) -> str | None:
    """The visitor's address, behind proxies too (TRUSTED_PROXIES); None where there is none, as on a Unix socket."""
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return None
