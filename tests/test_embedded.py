"""The embedded default really runs: one process that serves, with Celery's worker and beat as its threads."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from scripts.services import free_port, wait_for_port
from tests.live import BIN, ROOT, process

pytestmark = pytest.mark.once

TASK = """
import threading, time
from mxportal import embedded
from mxportal.celery import app

ran = threading.Event()

@app.task(name="test.alarm")
def alarm():
    ran.set()

beats = threading.Event()

@app.task(name="test.beat")
def beat():
    beats.set()

app.conf.beat_schedule = {"test": {"task": "test.beat", "schedule": 0.5}}
embedded.start()
time.sleep(0.5)
app.send_task("test.alarm")
print("alarm", ran.wait(5), "beat", beats.wait(10))
embedded.stop()
"""

LANES = """
import threading, time
from mxportal import embedded
from mxportal.celery import app

release, at_work, ran = threading.Event(), {"a": threading.Semaphore(0), "b": threading.Semaphore(0)}, threading.Event()

@app.task(name="test.bulk")
def bulk():
    at_work["a"].release()
    release.wait(30)

@app.task(name="notifications.test")
def mail():
    at_work["b"].release()
    release.wait(30)

@app.task(name="test.other")
def other():
    ran.set()

@app.task(name="notifications.other")
def other_mail():
    ran.set()

app.conf.beat_schedule = {}
embedded.start()
LANE = BLOCKERS
for _ in range(5):
    app.send_task(LANE)
assert at_work["a" if LANE == "test.bulk" else "b"].acquire(timeout=20)
time.sleep(0.3)
app.send_task(OTHER)
print("passed", ran.wait(20), "still at work", not release.is_set())
release.set()
embedded.stop()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("blockers", "other"), [("test.bulk", "notifications.other"), ("notifications.test", "test.other")]
)
def test_mails_and_other_tasks_wait_for_each_other_nowhere(tmp_path: Path, blockers: str, other: str) -> None:
    """N6: five tasks of one kind that do not end, more than there are threads; one of the other kind passes them."""
    program = LANES.replace("BLOCKERS", repr(blockers)).replace("OTHER", repr(other))
    done = run(program, tmp_path)
    assert "passed True still at work True" in done.stdout, done.stderr


def run(program: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        cwd=ROOT,
        env=environment(directory, DJANGO_SETTINGS_MODULE="mxportal.settings"),
        capture_output=True,
        text=True,
        timeout=60,
    )


def environment(directory: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "VAR_DIR": str(directory)} | more


@pytest.mark.slow
def test_worker_and_beat_run_as_threads(tmp_path: Path) -> None:
    done = run(TASK, tmp_path)
    assert "alarm True beat True" in done.stdout, done.stderr


@pytest.mark.slow
def test_one_process_serves_static_files_without_collecting_them(tmp_path: Path) -> None:
    port = free_port()
    command = [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "mxportal.wsgi"]
    settings = environment(tmp_path, PORT=str(port), DEMO="1", WEB_CONCURRENCY="7")
    with process(*command, environment=settings, log=tmp_path / "log"):
        wait_for_port(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/static/img/favicon.svg", timeout=10) as answer:
            assert answer.status == 200


@pytest.mark.slow
def test_what_waited_is_delivered_at_the_start(tmp_path: Path) -> None:
    """N1: mails that were queued while nothing ran do not wait for beat's next turn."""
    settings = environment(tmp_path, PORT=str(free_port()), DEMO="1")
    for command in ("migrate", "make_demo"):
        subprocess.run(
            [sys.executable, "manage.py", command], cwd=ROOT, env=settings, check=True, capture_output=True
        )
    gunicorn = [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "mxportal.wsgi"]
    with process(*gunicorn, environment=settings, log=tmp_path / "log"):
        until = time.monotonic() + 20  # beat turns after 30
        while not list(tmp_path.glob("mail/*")) and time.monotonic() < until:
            time.sleep(0.2)
        assert list(tmp_path.glob("mail/*"))
