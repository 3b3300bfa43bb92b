"""What machines are told about the portal's state, and that nobody else needs to be asked for it."""

import json
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from entitlements.ledger import triggers
from entitlements.services.sealing import seal_ledger
from notifications.models import Mail, Status
from scripts.services import free_port, wait_for_port
from tests.factories import Cast, issue_item, make_cast
from tests.live import BIN, ROOT, process
from tests.roles import as_owner
from tests.test_embedded import environment
from tests.test_settings import SERVER

ASK = """
import django
django.setup()
from django.test import Client
for path in ("/healthz", "/readyz"):
    answer = Client().get(path, headers={"host": "10.0.0.7:8000", "cookie": "sessionid=abc"})
    print(answer.status_code, answer.content.decode())
"""


def failed(client: Client) -> set[str]:
    """The names of the checks that /readyz says have failed; its status fits."""
    answer = client.get("/readyz")
    found = {name for name, state in answer.json()["checks"].items() if state != "ok"}
    assert answer.status_code == (503 if found else 200)
    return found


def due_mail(minutes: int, **changes: Any) -> Mail:
    due = timezone.now() - timedelta(minutes=minutes)
    return Mail.objects.create(
        kind="x", recipient_email="a@b.example", language="en", next_attempt_at=due, **changes
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_nobodys_request(db: None, client: Client, settings: Any, path: str) -> None:
    """By any host name and over plain http, it gets its answer, kept by no cache and without a cookie."""
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(path, headers={"host": "10.0.0.7:8000"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert "no-store" in answer.headers["Cache-Control"]
    assert not answer.cookies
    assert client.get("/", headers={"host": "10.0.0.7:8000"}).status_code == 400, "only a probe may"
    assert client.head(path).status_code == 200


def test_ready(db: None, client: Client) -> None:
    assert client.get("/readyz").json() == {
        "status": "ok",
        "checks": {"database": "ok", "broker": "ok", "migrations": "ok", "mails": "ok", "sealing": "ok"},
    }


def test_a_broker_that_cannot_be_reached(db: None, client: Client, settings: Any) -> None:
    settings.EMBEDDED_WORKER, settings.REDIS_URL = False, f"redis://127.0.0.1:{free_port()}/0"
    assert failed(client) == {"broker"}


def test_tables_of_another_version(db: None, client: Client) -> None:
    with as_owner():
        MigrationRecorder.Migration.objects.filter(app="entitlements").latest("id").delete()
    assert failed(client) == {"migrations"}


def test_mails_that_nobody_delivers(db: None, client: Client) -> None:
    """N1: the rows tell that worker, beat or sweep stands still."""
    mail = due_mail(11)
    assert failed(client) == {"mails"}
    mail.claimed_until = timezone.now() + timedelta(minutes=1)
    mail.save()
    assert failed(client) == set(), "somebody is delivering it"
    mail.claimed_until = timezone.now() - timedelta(minutes=11)
    mail.save()
    assert failed(client) == {"mails"}, "the one who did has died"


def test_mails_in_time(db: None, client: Client) -> None:
    """N2: what waits for its next attempt, or is over, is not late."""
    due_mail(9)
    due_mail(-60)
    due_mail(99, status=Status.CANCELLED)
    assert failed(client) == set()


def old_movement(cast: Cast) -> None:
    """One of an hour ago."""
    item = issue_item(cast)
    with as_owner():
        triggers.drop(connection)
        item.movements.update(created_at=timezone.now() - timedelta(hours=1))
        triggers.create(connection)


def test_sealing_that_is_behind(db: None, client: Client) -> None:
    """After an import it takes its time, and goes on."""
    cast = make_cast()
    issue_item(cast)
    assert failed(client) == set()
    old_movement(cast)
    seal_ledger(batches=1)
    old_movement(cast)
    assert failed(client) == set(), "a head was signed lately"


def test_sealing_that_stands_still(db: None, client: Client) -> None:
    """Nothing was sealed, and the oldest movement has waited for an hour."""
    old_movement(make_cast())
    assert failed(client) == {"sealing"}
    seal_ledger()
    assert failed(client) == set()


def test_without_database_and_broker(tmp_path: Path) -> None:
    """The process lives all the same, and says what is missing without a word about addresses or users."""
    server = environment(tmp_path, **SERVER, LOG_LEVEL="CRITICAL", DJANGO_SETTINGS_MODULE="mxportal.settings")
    done = subprocess.run(
        [sys.executable, "-c", ASK], check=True, cwd=ROOT, env=server, capture_output=True, text=True
    )
    alive, ready = done.stdout.splitlines()
    assert alive == '200 {"status": "ok"}'
    assert ready.startswith("503 ")
    assert json.loads(ready[4:]) == {
        "status": "unavailable",
        "checks": dict.fromkeys(("database", "broker", "migrations", "mails", "sealing"), "failed"),
    }


def test_the_health_check_of_a_container(tmp_path: Path) -> None:
    """It says which check failed, and is content once all pass."""
    port = free_port()
    settings = environment(tmp_path, PORT=str(port), DEMO="1")
    check = [sys.executable, "scripts/healthcheck.py"]
    gunicorn = [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "mxportal.wsgi"]
    with process(*gunicorn, environment=settings, log=tmp_path / "log"):
        wait_for_port(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60):  # once the process is up
            pass
        done = subprocess.run(check, check=False, cwd=ROOT, env=settings, capture_output=True, text=True)
        assert done.returncode == 1
        assert '"migrations": "failed"' in done.stderr
        subprocess.run(
            [sys.executable, "manage.py", "migrate"], cwd=ROOT, env=settings, check=True, capture_output=True
        )
        assert subprocess.run(check, check=False, cwd=ROOT, env=settings).returncode == 0
