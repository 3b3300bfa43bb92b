"""Record logins, except the successes of a shared login (U6)."""

from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.http import client_address
from accounts.known_browsers import remember
from accounts.models import LoginRecord, User
from accounts.services.users import take_over
from mxportal.shared.drafts import forget_others


def _record(request: HttpRequest | None, *, user: User | None, succeeded: bool) -> None:
    LoginRecord.objects.create(
        user=user,
        succeeded=succeeded,
        address=client_address(request) if request else None,
        agent=_agent(request) if request else "",
    )


def _agent(request: HttpRequest) -> str:
    """Return the browser's name for itself, on one line."""
    said = request.headers.get("User-Agent", "")
    return "".join(character for character in said if character.isprintable())[:300]


@receiver(user_logged_in, dispatch_uid="update_last_login")
def record_login(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Record a success, and that the account's first admin has taken the account over (U4, U6).

    Forget drafts of the previous user of this browser (U10). This replaces Django's ``update_last_login``, which would
    also record a shared login.
    """
    if not user.shared_login:
        _record(request, user=user, succeeded=True)
        update_last_login(sender, user)
    take_over(user)
    forget_others(request.session, user.pk)
    remember(request, user)


@receiver([password_changed, password_reset])
def know_browser(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Remember the browser after a new password: the person has proved who they are (U8)."""
    remember(request, user)


@receiver(user_login_failed)
def record_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record a failure, with the user whom it was about, if there is one (U6)."""
    try:
        user = User.objects.get_by_natural_key(credentials.get("username"))
    except User.DoesNotExist:
        user = None
    _record(request, user=user, succeeded=False)
