"""L2, L3: who has the Activation ID needs no login, so it must not pay to guess one.

One of our own form has 135 random bits and cannot be guessed: it is counted only so that nobody floods the look-up, and
wrong ones of a neighbour keep no bearer out. One of an old system's form can be short: a few wrong ones an hour.
"""

from collections.abc import Iterable

from django.conf import settings

from entitlements.identifiers.activation_ids import canonical, is_mistyped
from mxportal.shared.limits import Left, count_up, counted, network_of

GUESSES, MISSES, HOUR = "activation-guesses", "activation-misses", 3600


class TooManyGuessesError(Exception):
    """So many wrong Activation IDs came from one address that it has to wait: ``left.seconds``."""

    def __init__(self, left: Left) -> None:
        self.left = left
        super().__init__("too many wrong Activation IDs")


def check_guesses(address: str | None, activation_ids: Iterable[str]) -> None:
    """Before these IDs are looked at, whoever brings them without a login. Raises TooManyGuessesError."""
    for name in {_count_of(activation_id) for activation_id in activation_ids}:
        left = counted(name, network_of(address), most=_most(name), seconds=HOUR)
        if left.is_used_up:
            raise TooManyGuessesError(left)


def count_wrong_guess(address: str | None, activation_id: str) -> None:
    """This ID was mistyped, unknown or not an end customer's."""
    name = _count_of(activation_id)
    count_up(name, network_of(address), most=_most(name), seconds=HOUR)


def _count_of(activation_id: str) -> str:
    is_ours = canonical(activation_id) is not None or is_mistyped(activation_id)
    return MISSES if is_ours else GUESSES


def _most(name: str) -> int:
    return settings.ACTIVATION_MISSES_AN_HOUR if name == MISSES else settings.ACTIVATION_GUESSES_AN_HOUR
