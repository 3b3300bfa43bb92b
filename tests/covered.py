"""How much of the portal's code the tests reach: `make test` loads this plugin in its first run, `-p tests.covered`.

SlipCover adds some 5 % of CPU seconds; coverage.py, by the tracer of Python 3.11, adds 60 %. [tool.slipcover] in
pyproject.toml has the floor, below which the run fails.
"""

import json
from typing import Any

import pytest
import slipcover
from slipcover.config import read_config

CONFIG = read_config()
SOURCE, OMIT = CONFIG["source"], CONFIG["omit"]
COVER = slipcover.Slipcover(source=SOURCE, omit=OMIT)
FOUND: list[dict[str, Any]] = []  # what each process of the run reached
slipcover.ImportManager(
    COVER, slipcover.FileMatcher(SOURCE, OMIT)
).__enter__()  # before the portal is imported


def pytest_testnodedown(node: Any) -> None:
    """A process of pytest-xdist hands over what its tests reached."""
    FOUND.append(json.loads(node.workeroutput["reached"]))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say the figure, and write down which lines are missing."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["reached"] = json.dumps(COVER.get_coverage())
        return
    reached = COVER.get_coverage()
    for other in FOUND:
        slipcover.merge_coverage(reached, other)
    with open("coverage.txt", "w", encoding="utf-8") as file:
        slipcover.print_coverage(reached, outfile=file, skip_covered=True)
    report(session, reached["summary"])


def report(session: pytest.Session, summary: dict[str, Any]) -> None:
    """A run that was whole and passed fails below the floor."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    percent, floor = summary["percent_covered"], CONFIG["fail-under"]
    lines = summary["covered_lines"] + summary["missing_lines"]
    reporter.write_line(f"\nCoverage: {percent:.2f} % of {lines} lines; the others are in coverage.txt.")
    if percent < floor and session.exitstatus == pytest.ExitCode.OK and not reporter.stats.get("skipped"):
        reporter.write_line(f"It was at least {floor} %: test what is new (pyproject.toml).", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
