"""Registry of the readiness checks; each app registers its own, and the answers are kept for a second.

A check returns whether it passes. One that raises has failed; the log says why, and never an answer.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

logger = logging.getLogger(__name__)

Check = Callable[[], bool]
FRESH = 1.0  # seconds in which the checks run once, however many ask
STALE = 15.0  # seconds after which a running check counts as failed


@dataclass(frozen=True)
class _Registered:
    check: Check
    in_database: bool


_checks: dict[str, _Registered] = {}


def register_check(name: str, check: Check, *, in_database: bool = True) -> None:
    """Run this check for /readyz under this name. Call it in ``ready`` of the app.

    ``in_database`` says that the check queries the database; it runs only if the check `database` has passed.
    """
    _checks[name] = _Registered(check, in_database)


def checked_now() -> dict[str, bool]:
    """Run every check, those without the database first. Return whether each passes, by its name."""
    passed = {name: _passes(one.check) for name, one in _checks.items() if not one.in_database}
    answers = passed.get("database", False)
    for name, one in _checks.items():
        if one.in_database:
            passed[name] = answers and _passes(one.check)
    return passed


def _passes(check: Check) -> bool:
    try:
        return check()
    except Exception as error:
        logger.warning("%s: %s", check.__name__, type(error).__name__)
        return False


class Readiness:
    """The last answers. One thread at a time runs the checks; meanwhile others get the previous answers."""

    def __init__(
        self, ask: Callable[[], dict[str, bool]] = checked_now, *, fresh: float = FRESH, stale: float = STALE
    ) -> None:
        self._ask, self._running = ask, Lock()
        self.fresh, self.stale = fresh, stale
        self._known: dict[str, bool] = {}
        self._known_at = -float("inf")

    def state(self) -> dict[str, bool]:
        """Return whether each check passes, as of a second ago at most, or STALE seconds while the checks still run."""
        if self._age() < self.fresh:
            return self._known
        if not self._running.acquire(timeout=0 if self._known else self.stale):
            return self._known if self._age() < self.stale else dict.fromkeys(self._known or _checks, False)
        try:
            if self._age() >= self.fresh:
                self._known, self._known_at = self._ask(), time.monotonic()
                self._log()
            return self._known
        finally:
            self._running.release()

    def forget(self) -> None:
        """Run the checks at the next question."""
        self._known, self._known_at = {}, -float("inf")

    def _age(self) -> float:
        return time.monotonic() - self._known_at

    def _log(self) -> None:
        if failed := [name for name, ok in self._known.items() if not ok]:
            logger.warning("Not ready: %s", ", ".join(failed))


readiness = Readiness()
