"""`make run` stops quietly, whenever it is told to: Ctrl+C and SIGTERM reach every process of its group at once."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scripts.services import free_port
from tests.live import ROOT
from tests.test_embedded import environment

pytestmark = pytest.mark.once

SECONDS_TO_STOP = 15


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: the first start makes the database, the later ones are quick."""
    return tmp_path_factory.mktemp("run")


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=lambda sign: sign.name)
@pytest.mark.parametrize("after", [0.2, 0.5, 1, 2, 4, 8])
def test_it_stops_quietly(directory: Path, after: float, sign: signal.Signals) -> None:
    """No traceback is printed, and every process is gone soon."""
    run = subprocess.Popen(
        ["scripts/run"],
        cwd=ROOT,
        env=environment(directory, PORT=str(free_port()), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    time.sleep(after)
    os.killpg(run.pid, sign)
    try:
        output, _ = run.communicate(timeout=SECONDS_TO_STOP)  # ends when the last process has closed it
    finally:
        if group_lives(run.pid):
            os.killpg(run.pid, signal.SIGKILL)
    for sign_of_trouble in ("Traceback", "Error", "cannot schedule", "CRITICAL", "critical"):
        assert sign_of_trouble not in output, output


def group_lives(pid: int) -> bool:
    """Whether a process of this group is left."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True
