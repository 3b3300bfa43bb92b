"""Limits for wrong Activation IDs, because an ID is all that a bearer needs to activate (L2, L3).

Guessing must not pay. An ID in the portal's own form has 135 random bits and cannot be guessed. Wrong ones are counted
only against floods of look-ups, so that a neighbour's typing errors block no bearer. An ID in the form of an old system
can be short: a few wrong ones an hour are the limit.
"""

from collections.abc import Iterable

from django.conf import settings

from entitlements.identifiers.activation_ids import canonical, is_mistyped
from mxportal.shared.limits import Usage, count_up, current_usage, network_of

GUESSES, MISSES, HOUR_SECONDS = "activation-guesses", "activation-misses", 3600


class TooManyGuessesError(Exception):
    """One address has sent too many wrong Activation IDs and has to wait ``left.seconds``."""

    def __init__(self, left: Usage) -> None:
        self.left = left
        super().__init__("too many wrong Activation IDs")


def check_guesses(address: str | None, activation_ids: Iterable[str]) -> None:
    """Check that the address may still try these IDs, before they are looked up for a visitor without login (L2).

    Raises TooManyGuessesError.
    """
    for name in {_counter_of(activation_id) for activation_id in activation_ids}:
        left = current_usage(name, network_of(address), most=_limit_of(name), seconds=HOUR_SECONDS)
        if left.is_used_up:
            raise TooManyGuessesError(left)


def count_wrong_guess(address: str | None, activation_id: str) -> None:
    """Count this ID as mistyped, unknown or not an end customer's (L2)."""
    name = _counter_of(activation_id)
    count_up(name, network_of(address), most=_limit_of(name), seconds=HOUR_SECONDS)


def _counter_of(activation_id: str) -> str:
    has_own_form = canonical(activation_id) is not None or is_mistyped(activation_id)
    return MISSES if has_own_form else GUESSES


def _limit_of(name: str) -> int:
    return settings.ACTIVATION_MISSES_AN_HOUR if name == MISSES else settings.ACTIVATION_GUESSES_AN_HOUR
