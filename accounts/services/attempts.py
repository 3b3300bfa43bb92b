"""U9: wrong logins and requests for a new password are counted, in the database: who brings Redis down gains nothing.

A person is counted by the folded user ID that was typed, whether it exists or not, and whatever host was asked. A
browser that the person has logged in with before has a count of its own (accounts.known_browsers), so that nobody can
lock another out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from accounts.models import Attempts
from mxportal.shared.limits import Usage

LOGIN, LOGIN_ADDRESS, LOGIN_BROWSER = "login", "login-address", "login-browser"
RESET, RESET_ADDRESS = "reset", "reset-address"


@dataclass(frozen=True)
class Counted:
    """One count: of what, by whom."""

    name: str
    who: str

    def up(self) -> Usage:
        """One more."""
        most, seconds = settings.ATTEMPTS[self.name]
        used, ends = Attempts.objects.count_up(self.name, self.who, seconds)
        return Usage(most=most, used=used, seconds=ends)

    def down(self) -> None:
        """It does not count."""
        Attempts.objects.take_back(self.name, self.who)


def counts_of_login(*, key: str, address: str, browser: str) -> list[Counted]:
    """``key`` is the folded user ID. ``browser`` names a known one, which counts for itself alone.

    The address comes first: one that has tried too often no more counts for those whom it tries.
    """
    if browser:
        return [Counted(LOGIN_BROWSER, browser)]
    return [Counted(LOGIN_ADDRESS, address), Counted(LOGIN, key)]


def counts_of_reset(*, key: str, address: str) -> list[Counted]:
    """Every request counts, for each sends a mail."""
    return [Counted(RESET_ADDRESS, address), Counted(RESET, key)]


def is_too_often(counts: Sequence[Counted]) -> bool:
    """Count one more of each, up to the first that is exceeded."""
    return any(count.up().is_exceeded for count in counts)


def forget_wrong_logins(key: str) -> None:
    """The person has proved who they are by other means, or an operator vouches for them."""
    Attempts.objects.forget(LOGIN, key)


def drop_old_attempts() -> int:
    """Called by beat."""
    return Attempts.objects.drop_old()
