"""`scripts/bootstrap`: what is installed is not installed again, and Ctrl+C ends it with one line."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.processes import wait_until
from tests.live import ROOT
from tests.test_stopping import group_lives

pytestmark = pytest.mark.once

PROGRAMS = ["cat", "cksum", "dirname", "id", "mktemp", "rm", "sh"]  # and no apt-get
LOCKS = ["requirements.lock", "requirements-dev.lock"]
# Stands for the environment's Python: its pip says that it runs, and takes its time where there is a file "slow".
PIP = """
import pathlib, sys, time
if sys.argv[1:2] != ["-c"]:
    pathlib.Path("installs").open("a").write(f"{sys.argv[-1]}\\n")
    time.sleep(60 if pathlib.Path("slow").exists() else 0)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout with nothing but the script, its locks, and an environment."""
    for folder in ("bin", "scripts", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    for program in PROGRAMS:
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or program)
    for name in ["scripts/bootstrap", *LOCKS]:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "pip.py").write_text(PIP)
    python = tmp_path / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -S pip.py "$@"\n')
    python.chmod(0o755)
    return tmp_path


def start(place: Path, *kind: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["scripts/bootstrap", *kind],
        cwd=place,
        env={"PATH": str(place / "bin"), "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


def run(place: Path, *kind: str) -> str:
    process = start(place, *kind)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    return said


def installs(place: Path) -> list[str]:
    kept = place / "installs"
    return kept.read_text().split() if kept.exists() else []


@pytest.mark.slow
def test_the_second_call_costs_nothing(place: Path) -> None:
    """And says nothing."""
    for kind in ("run", "dev"):
        assert "installing the packages" in run(place, kind)
        assert run(place, kind) == ""
    assert installs(place) == LOCKS


@pytest.mark.slow
def test_dev_has_what_runs_the_portal(place: Path) -> None:
    """Whoever has made it starts the portal without another installation, until any of the locks changes."""
    run(place, "dev")
    assert run(place) == ""
    assert installs(place) == ["requirements-dev.lock"]
    with (place / "requirements.lock").open("a") as lock:
        lock.write("# newer\n")
    run(place)
    assert installs(place) == ["requirements-dev.lock", "requirements.lock"]


def test_the_lock_of_dev_has_all_of_the_other() -> None:
    """Versions and all."""
    run_lock, dev_lock = (
        set(re.findall(r"^[a-z0-9][^ \\]*==[^ \\]+", (ROOT / name).read_text(), re.MULTILINE))
        for name in LOCKS
    )
    assert run_lock
    assert run_lock <= dev_lock


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=lambda sign: sign.name)
def test_it_stops_quietly_while_it_installs(place: Path, sign: signal.Signals) -> None:
    """One line, and no process is left; the next call installs."""
    (place / "slow").touch()
    process = start(place)
    wait_until(lambda: installs(place), "pip")
    os.killpg(process.pid, sign)
    said, _ = process.communicate(timeout=10)
    assert said.splitlines()[-2:] == [
        "bootstrap: installing the packages of requirements.lock",
        "bootstrap: stopped. Run it again to go on.",
    ]
    assert "Traceback" not in said
    assert process.returncode == 130
    wait_until(lambda: not group_lives(process.pid), "the end of pip")
    (place / "slow").unlink()
    assert "installing the packages" in run(place)


@pytest.mark.parametrize("after", [0, 0.01, 0.03, 0.1, 0.3])
def test_it_stops_quietly_whenever_it_is_told_to(place: Path, after: float) -> None:
    """Also before it asks its first question."""
    (place / "slow").touch()
    process = start(place)
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=10)
    assert "Traceback" not in said
    assert process.returncode in (130, -signal.SIGINT)
    wait_until(lambda: not group_lives(process.pid), "the end of pip")
