"""No test of `make test-fast` takes over half a second: one that does fails, and gets the mark `slow`.

What a test waits for a processor does not count, or it would depend on what else the machine does. One that is the
first to use something is tried again.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

MOST_SECONDS = 0.5
SCHEDULED = Path("/proc/thread-self/schedstat")  # nanoseconds: at work, waiting for a processor
TOOK: dict[str, float] = {}


def seconds() -> float:
    """The clock of a machine that does nothing else; where it is not Linux, the clock on the wall."""
    waited = int(SCHEDULED.read_text().split()[1]) / 1e9 if SCHEDULED.exists() else 0.0
    return time.monotonic() - waited


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Take the time of the test itself, without its fixtures."""
    started = seconds()
    try:
        return (yield)
    finally:
        TOOK[item.nodeid] = seconds() - started


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """pytest's own, but a test that took too long runs a second time, which counts."""
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    if TOOK.get(item.nodeid, 0) > MOST_SECONDS and all(report.passed for report in reports):
        item._initrequest()  # type: ignore[attr-defined]  # fixtures anew
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        if report.when == "call" and report.passed and TOOK[item.nodeid] > MOST_SECONDS:
            report.outcome = "failed"
            report.longrepr = (
                f"It takes {TOOK[item.nodeid]:.2f} s: mark it with @pytest.mark.slow (tests/quick.py)."
            )
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
