"""U2, U7: who a user ID and a password are, and whether a session still counts."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser

from accounts.models import User


class PortalBackend(ModelBackend):
    """Django's backend; inactive users and users of inactive accounts lose their sessions at the next request."""

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session, with the account that every page needs; None ends the session."""
        user = User.objects.select_related("account").filter(pk=user_id).first()
        return user if user and user.is_active else None

    def user_can_authenticate(self, user: AbstractBaseUser | Any) -> bool:
        """A5, U7: asked after the password was checked, so that the answer takes the same time."""
        return bool(user.is_active)
