"""Registry of the checks that each process runs when it starts; each app registers its own."""

from collections.abc import Callable

_checks: list[Callable[[], None]] = []


def check_at_start(check: Callable[[], None]) -> Callable[[], None]:
    """Register a function that each web process and worker calls once when it starts. It logs, and never raises."""
    _checks.append(check)
    return check


def run_start_checks() -> None:
    """Run every registered check."""
    for check in _checks:
        check()
