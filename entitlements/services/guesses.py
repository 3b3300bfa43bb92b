"""L2, L3: who has the Activation ID needs no login, so it must not pay to guess one."""

from django.conf import settings

from mxportal.shared.limits import Left, count_up, counted, network_of

GUESSES, HOUR = "activation-guesses", 3600


class TooManyGuessesError(Exception):
    """So many wrong Activation IDs came from one address that it has to wait: ``left.seconds``."""

    def __init__(self, left: Left) -> None:
        self.left = left
        super().__init__("too many wrong Activation IDs")


def check_guesses(address: str | None) -> None:
    """Before an ID is looked at, whoever brings it without a login. Raises TooManyGuessesError."""
    left = counted(GUESSES, network_of(address), **_limit())
    if left.is_used_up:
        raise TooManyGuessesError(left)


def count_wrong_guess(address: str | None) -> None:
    """An ID was mistyped, unknown or not an end customer's."""
    count_up(GUESSES, network_of(address), **_limit())


def _limit() -> dict[str, int]:
    return {"most": settings.ACTIVATION_GUESSES_AN_HOUR, "seconds": HOUR}
