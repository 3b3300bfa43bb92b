"""The request behind the login, and the address that a request comes from."""

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User


class PortalRequest(HttpRequest):
    """A request that LoginRequiredMiddleware has let pass, so that its user is a User of ours."""

    user: User


def client_address(request: HttpRequest) -> str | None:
    """Return the visitor's address, also behind proxies (TRUSTED_PROXIES); None without one, as on a Unix socket."""
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return None
