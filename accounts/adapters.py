"""What the portal does differently from django-allauth."""

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

# allauth's German says "du" here; our own catalogue has the texts that our pages show.
WORDED_BY_US = (
    gettext_noop("Please type your current password."),
    gettext_noop("You must type the same password each time."),
    gettext_noop("Password successfully changed."),
    gettext_noop("Password successfully set."),
    gettext_noop("Be patient, you are sending too many requests."),
)
OBVIOUS = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up, and no mail by allauth: admins create users, and mails go through the outbox."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("User ID and password do not match."),
        "too_many_login_attempts": _("Too many attempts. Please try again in a few minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: only admins create users (U4)."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Count before Argon2 runs, so that all of many simultaneous attempts count; take right passwords back (U9)."""
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
        """Send nothing: only the outbox sends mails (N1), and the reset form queues its own."""
        raise NotImplementedError(f"allauth wanted to send {template_prefix}; queue a mail instead")

    def set_password(self, user: Any, password: str) -> None:
        """Set the user's own password, and suspend the person's API tokens (P1)."""
        set_own_password(user, password)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Leave out that somebody is logged in or out, which is obvious; show all other messages."""
        if message_template not in OBVIOUS:
            super().add_message(request, level, message_template, *args, **kwargs)
