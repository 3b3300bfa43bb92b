"""django-allauth's hook: what the portal does otherwise."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.http import client_address
from accounts.known_browsers import browser_of
from accounts.services.attempts import counts_of_login, is_too_often
from accounts.services.credentials import set_own_password
from mxportal.shared.fields import fold
from mxportal.shared.limits import network_of

# allauth's German says "du" here; what our pages show of it stands in our own catalogue.
WORDED_BY_US = (
    gettext_noop("Please type your current password."),
    gettext_noop("You must type the same password each time."),
    gettext_noop("Password successfully changed."),
    gettext_noop("Password successfully set."),
    gettext_noop("Be patient, you are sending too many requests."),
)
OBVIOUS = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up, no mail of allauth's own: users come from admins, mails go through the outbox."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("User ID and password do not match."),
        "too_many_login_attempts": _("Too many attempts. Please try again in a few minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Users are created by admins only (U4)."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """U9: count before Argon2 runs, so that of many at once each counts; a right password counts for nothing."""
        key = fold(credentials.get("username", ""))
        address, browser = network_of(client_address(request)), browser_of(request, key)
        counts = counts_of_login(key=key, address=address, browser=browser)
        if is_too_often(counts):
            raise self.validation_error("too_many_login_attempts")
        user = authenticate(request, **credentials)
        if user is not None:
            for count in counts:
                count.down()
        return user

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing but the outbox sends mails (N1); the reset form queues its own."""
        raise NotImplementedError(f"allauth wanted to send {template_prefix}; queue a mail instead")

    def set_password(self, user: Any, password: str) -> None:
        """By the page or by the one-time link; the person's API tokens are suspended with it (P1)."""
        set_own_password(user, password)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """That one is logged in or out is plain to see; the other messages stand."""
        if message_template not in OBVIOUS:
            super().add_message(request, level, message_template, *args, **kwargs)
