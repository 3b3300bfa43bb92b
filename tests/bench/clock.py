"""Times of things that are compared, taken in turn, so that a busy machine slows all of them alike."""

import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

ITEMS = int(os.environ.get("BENCH_ITEMS", "1000000"))
IS_TRIAL = ITEMS < 1_000_000  # one round of each, to see that it runs: the targets are those of a million


def seconds(run: Callable[[], Any]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def interleaved(*runs: Callable[[], Any], rounds: int) -> list[float]:
    """The median seconds of each; the first round only warms up."""
    rounds = 1 if IS_TRIAL else rounds
    times = [[seconds(run) for run in runs] for _ in range(rounds + 1)]
    return [median(column) for column in zip(*times[1:], strict=True)]


def say(text: str) -> None:
    """Progress, which is not a figure, and so not for stdout."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
