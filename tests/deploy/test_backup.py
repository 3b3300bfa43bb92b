"""deploy/postgres/backup: whole dumps only, kept for so many days, and never fewer than three."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.test_files import DEPLOY
from tests.live import login

SCRIPT = DEPLOY / "postgres" / "backup"


def back_up(folder: Path, *, url: str, days: int = 30) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "DATABASE_OWNER_URL": url,
        "BACKUP_DIR": str(folder),
        "BACKUP_KEEP_DAYS": str(days),
    }
    return subprocess.run([SCRIPT], check=False, env=environment, capture_output=True, text=True, timeout=60)


def make_old(folder: Path, name: str, days: int) -> Path:
    path = folder / f"portal-{name}.dump"
    path.write_text("old")
    os.utime(path, (time.time() - days * 86_400,) * 2)
    return path


@pytest.mark.postgres
def test_a_backup_is_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    done = back_up(tmp_path, url=f"{login()}/postgres")
    assert done.returncode == 0, done.stderr
    [dump] = tmp_path.iterdir()
    assert dump.stat().st_mode & 0o777 == 0o600
    subprocess.run(["pg_restore", "--list", dump], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.postgres
def test_old_backups_go_and_three_stay(tmp_path: Path) -> None:
    older = [make_old(tmp_path, f"2026010{day}T000000Z", 60 - day) for day in range(1, 5)]
    fresh = make_old(tmp_path, "20260201T000000Z", 5)
    strange = tmp_path / "notes.txt"
    strange.write_text("kept")
    assert back_up(tmp_path, url=f"{login()}/postgres").returncode == 0
    left = set(tmp_path.iterdir())
    assert {fresh, strange, older[-1]} < left
    assert left.isdisjoint(older[:-1])


def test_a_failed_backup_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    """A half-written dump under a good name would be believed; older ones are not touched."""
    old = make_old(tmp_path, "20250101T000000Z", 400)
    done = back_up(tmp_path, url="postgres://nobody@127.0.0.1:1/nothing")
    assert done.returncode != 0
    assert done.stderr
    assert list(tmp_path.iterdir()) == [old]
