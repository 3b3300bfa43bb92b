"""E11: `manage.py migrate` beside a running portal, also one that is killed, loses no movement."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live import ROOT, login
from tests.test_restore import Place, databases, place
from tests.test_settings import SERVER

__all__ = ["place"]  # a fixture
KILLS = 8


@contextmanager
def splits(place: Place) -> Iterator[list[str]]:
    """Somebody splits all the time. Once it is over, the lines that tell of it."""
    lines: list[str] = []
    command = [sys.executable, "-m", "tests.migrated", "split"]
    with subprocess.Popen(
        command, cwd=ROOT, env=place.environment, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        try:
            lines += [running.stdout.readline() for _ in range(5)]
            yield lines
            place.run("-c", "import time; time.sleep(1)")
        finally:
            running.terminate()
            lines += running.stdout.read().splitlines(keepends=True)


def assert_nothing_is_lost(place: Place, **owner: str) -> None:
    more = owner | {"DJANGO_SETTINGS_MODULE": "tests.migrated.settings"}
    with splits(place) as lines:
        assert place.run("-m", "tests.migrated", "idle", **owner) == ["unchanged"]
        (killed,) = place.run("-m", "tests.migrated", "kill", str(KILLS), **more)
    assert int(killed) >= KILLS - 1, "the course of a migration hardly changes"
    moved = [line for line in lines if line.startswith("moved")]
    assert len(moved) > 50
    assert len(moved) == len([line for line in lines if line.endswith("\n")]), "nobody was refused"
    command = [sys.executable, "-m", "tests.migrated", "check"]
    told = "".join(moved)
    done = subprocess.run(
        command, cwd=ROOT, env=place.environment | owner, input=told, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "The ledger verifies" in done.stdout


@pytest.mark.slow
def test_sqlite(place: Place) -> None:
    """E11: killed before any statement, it leaves tables and triggers that belong together."""
    place.run("manage.py", "migrate")
    assert_nothing_is_lost(place)


@pytest.mark.postgres
def test_postgresql(place: Place) -> None:
    """E11: the same with the two roles."""
    name, role = f"migrated_{os.getpid()}", f"migrated_role_{os.getpid()}"
    owner = {"DATABASE_OWNER_URL": f"{login()}/{name}"}
    place.environment |= SERVER | {"REDIS_URL": "memory://", "LOG_LEVEL": "ERROR"}
    place.environment["DATABASE_URL"] = f"postgres://{role}:x@{login().rpartition('@')[2]}/{name}"
    with databases(name, role=role):
        place.run("manage.py", "migrate", **owner)
        assert_nothing_is_lost(place, **owner)
