"""Check user ID and password, and whether a session is still valid (U2, U7)."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser

from accounts.models import User


class PortalBackend(ModelBackend):
    """Django's backend; inactive users and users of inactive accounts lose their sessions at the next request."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session, with the account that every page needs; None ends the session."""
        user = User.objects.select_related("account").filter(pk=user_id).first()
        return user if user and user.is_active else None

    def user_can_authenticate(self, user: AbstractBaseUser | Any) -> bool:
        """Return whether the user may log in (A5, U7).

        Asked after the password, so that all answers take the same time.
        """
        return bool(user.is_active)
