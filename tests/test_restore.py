"""The restore drill: the commands of docs/operating.md, while writes go on, and a portal that verifies afterwards."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from tests.live import ROOT, login
from tests.test_settings import SERVER

OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
SECTION = OPERATING.partition("## Backup and restore")[2].partition("\n## ")[0]


def command(start: str) -> str:
    """The one command of the section on backups that begins so."""
    [line] = [line for line in SECTION.splitlines() if line.startswith(start)]
    return line.partition("  #")[0].strip()


@dataclass
class Place:
    """Where the commands are typed: a folder with `.venv` and `var/`, as the project's is."""

    folder: Path
    environment: dict[str, str]

    def shell(self, line: str, **more: str) -> None:
        environment = self.environment | more
        subprocess.run(["sh", "-ec", line], cwd=self.folder, env=environment, check=True, timeout=60)

    def run(self, *arguments: str, **more: str) -> list[str]:
        """The lines that Python prints with these arguments."""
        environment = self.environment | more
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout.splitlines()

    def back_up_under_load(self, line: str, **more: str) -> range:
        """Runs the command while splits go on. Says how many movements the backup may hold: those before and after."""
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.drill", "write"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        with writer as running:
            assert running.stdout
            counts = [int(running.stdout.readline()) for _ in range(25)]
            self.shell(line, **more)
            counts += [int(running.stdout.readline()) for _ in range(25)]
            running.terminate()
            rest = running.stdout.read().split()
        return range(counts[24], int((rest or counts)[-1]) + 2)  # one more may be committed and not told

    def assert_works(self, possible: range, *owner: str) -> None:
        """As docs/operating.md says: migrate, verify_ledger. The triggers are back, for the tables' owner as well."""
        [said, *_] = self.run("manage.py", "verify_ledger")
        assert said.startswith("The ledger verifies")
        for url in ("", *owner):
            assert self.run("-m", "tests.drill", "refuse", **({"DATABASE_URL": url} if url else {})) == []
        before, after = map(int, self.run("-m", "tests.drill", "split"))
        assert (before in possible, after) == (True, before + 1)
        assert self.run("manage.py", "verify_ledger")[0] == said


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path / "var"), "LOG_LEVEL": "ERROR"}
    return Place(tmp_path, environment | {"DJANGO_SETTINGS_MODULE": "mxportal.settings"})


@pytest.mark.slow
def test_sqlite(place: Place) -> None:
    """E11: a copy that was made while the portal ran is whole."""
    place.run("manage.py", "migrate")
    possible = place.back_up_under_load(command(".venv/bin/python -c"))
    place.shell(command("rm -f var/db.sqlite3"))
    place.run("manage.py", "migrate")
    place.assert_works(possible)


@contextmanager
def databases(*names: str, role: str) -> Iterator[None]:
    """Empty databases, dropped in the end together with the role that `migrate` made."""
    with closing(psycopg2.connect(f"{login()}/postgres")) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        try:
            for name in names:
                cursor.execute(f"CREATE DATABASE {name}")
            yield
        finally:
            for name in names:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"DROP ROLE IF EXISTS {role}")


@pytest.mark.postgres
def test_postgresql(place: Place) -> None:
    """E11: a dump that was made while the portal ran is whole, and `migrate` gives the application its rights anew."""
    source, target, role = (f"drill_{part}_{os.getpid()}" for part in ("source", "target", "role"))
    server = login().rpartition("@")[2]

    def use(name: str) -> dict[str, str]:
        """From here on, the portal's database is this one; the owner's address, which only some commands get."""
        place.environment |= SERVER | {"REDIS_URL": "memory://", "LOG_LEVEL": "ERROR"}
        place.environment["DATABASE_URL"] = f"postgres://{role}:drill@{server}/{name}"
        return {"DATABASE_OWNER_URL": f"{login()}/{name}"}

    with databases(source, target, role=role):
        owner = use(source)
        place.run("manage.py", "migrate", **owner)
        possible = place.back_up_under_load(command("pg_dump"), **owner)
        owner = use(target)
        place.shell(command("pg_restore"), **owner)
        place.run("manage.py", "migrate", **owner)
        place.assert_works(possible, owner["DATABASE_OWNER_URL"])
