"""A process of several that write at once; it imports nothing of the portal before that is set up."""

from multiprocessing.synchronize import Barrier

import django

_start: Barrier | None = None


def set_up(start: Barrier) -> None:
    """The first thing that a process of the pool does."""
    global _start
    _start = start
    django.setup()


def seconds_of_splits(source: int) -> float:
    """One round of splits off this line item. All processes begin together, so each has taken one source."""
    from tests.bench import splits

    split = splits.splitting(source)
    split()
    assert _start is not None
    _start.wait(60)
    return splits.SPLITS / splits.service_rate(split)
