"""The request as every view behind the login gets it."""

from django.http import HttpRequest

from accounts.models import User


class PortalRequest(HttpRequest):
    """LoginRequiredMiddleware has let it pass, so its user is one of ours."""

    user: User
