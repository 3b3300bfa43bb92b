"""Count wrong logins and requests for a new password in the database, so that they count without Redis (U9).

A person is counted by the folded user ID that was typed, whether it exists or not, and whatever host was named. A
browser that the person has logged in with before has its own count (accounts.known_browsers), so that nobody can lock
another person out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from accounts.models import Attempts
from mxportal.shared.limits import Usage

LOGIN, LOGIN_ADDRESS, LOGIN_BROWSER = "login", "login-address", "login-browser"
RESET, RESET_ADDRESS = "reset", "reset-address"


@dataclass(frozen=True)
class AttemptCount:
    """One count: its name and whom it is about."""

    name: str
    who: str

    def up(self) -> Usage:
        """Count one more."""
        most, seconds = settings.ATTEMPTS[self.name]
        used, ends = Attempts.objects.count_up(self.name, self.who, seconds)
        return Usage(most=most, used=used, seconds=ends)

    def down(self) -> None:
        """Take one back that does not count."""
        Attempts.objects.take_back(self.name, self.who)


def counts_of_login(*, key: str, address: str, browser: str) -> list[AttemptCount]:
    """Return the counts of a login. ``key`` is the folded user ID; a known ``browser`` has a count of its own.

    The address comes first: an address that has tried too often no longer counts for the persons that it tries.
    """
    if browser:
        return [AttemptCount(LOGIN_BROWSER, browser)]
    return [AttemptCount(LOGIN_ADDRESS, address), AttemptCount(LOGIN, key)]


def counts_of_reset(*, key: str, address: str) -> list[AttemptCount]:
    """Return the counts of a request for a link. Every request counts, because each sends a mail."""
    return [AttemptCount(RESET_ADDRESS, address), AttemptCount(RESET, key)]


def is_too_often(counts: Sequence[AttemptCount]) -> bool:
    """Count one more of each, up to the first that is exceeded; return whether one is."""
    return any(count.up().is_exceeded for count in counts)


def forget_wrong_logins(key: str) -> None:
    """Delete the count of a person who has proved who they are, or for whom an operator vouches."""
    Attempts.objects.forget(LOGIN, key)


def drop_old_attempts() -> int:
    """Delete old counts. Beat calls it."""
    return Attempts.objects.drop_old()
