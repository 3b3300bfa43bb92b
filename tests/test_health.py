"""What machines are told about the portal's state, and that nobody else needs to be asked for it."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from redis import from_url

from entitlements.ledger import triggers
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.signing import active_key
from mxportal.health import PROBE_KEY
from mxportal.shared.readiness import Readiness, readiness
from notifications.models import Mail, MailServer, Status
from scripts.services import free_port, redis, wait_for_port
from tests.factories import Cast, issue_item, make_cast
from tests.live import BIN, ROOT, process
from tests.read_only import read_only
from tests.roles import as_owner
from tests.test_embedded import environment
from tests.test_settings import SERVER

NAMES = {
    "database",
    "broker",
    "disk",
    "writes",
    "migrations",
    "triggers",
    "mails",
    "sender",
    "sealing",
    "keys",
}
ASK = """
import django
django.setup()
from django.test import Client
for path in ("/healthz", "/readyz"):
    answer = Client().get(path, headers={"host": "10.0.0.7:8000", "cookie": "sessionid=abc"})
    print(answer.status_code, answer.content.decode())
"""


def failed(client: Client) -> set[str]:
    """The names of the checks that /readyz, asked anew, says have failed; its status fits."""
    readiness.forget()
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
    answer = client.get("/readyz").json()
    assert answer["status"] == "ok"
    assert set(answer["checks"]) >= NAMES
    assert set(answer["checks"].values()) == {"ok"}


def test_a_broker_that_cannot_be_reached(db: None, client: Client, settings: Any) -> None:
    settings.EMBEDDED_WORKER, settings.REDIS_URL = False, f"redis://127.0.0.1:{free_port()}/0"
    assert failed(client) == {"broker"}


@pytest.fixture
def redis_url(settings: Any) -> Iterator[str]:
    """A Redis of this test alone, as the portal's broker."""
    with redis() as url:
        if url is None:
            pytest.skip("needs Redis: apt-get install redis-server")
        settings.EMBEDDED_WORKER, settings.REDIS_URL = False, url
        yield url


def test_a_broker_that_takes_no_tasks(db: None, client: Client, redis_url: str) -> None:
    """It answers, and is full, or a replica of another."""
    assert failed(client) == set()
    with from_url(redis_url) as broker:
        assert broker.ttl(PROBE_KEY) in (0, 1), "the question leaves nothing behind"
        broker.config_set("maxmemory", "1")
        assert failed(client) == {"broker"}
        broker.config_set("maxmemory", "0")
        assert failed(client) == set()
        broker.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
        assert failed(client) == {"broker"}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes(client: Client) -> None:
    """It answers every query, and refuses what would change a row."""
    with read_only():
        assert failed(client) == {"writes"}
    assert failed(client) == set()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_somebody_writes_to_takes_writes(client: Client) -> None:
    """On SQLite one connection writes at a time: the check does not wait for it."""
    with transaction.atomic(), ThreadPoolExecutor(1) as another:
        Mail.objects.update(subject="x")
        asked = time.monotonic()
        assert another.submit(asked_elsewhere).result() == 200
        assert time.monotonic() - asked < 5


def asked_elsewhere() -> int:
    try:
        return Client().get("/readyz").status_code
    finally:
        connection.close()


def test_a_full_disk(db: None, client: Client, settings: Any) -> None:
    settings.DISK_FREE_MB = 10**9
    assert failed(client) == {"disk"}


def test_the_answer_is_cheap(db: None, client: Client, django_assert_num_queries: Any) -> None:
    """However many ask, the checks run once a second, and read no migration's file again."""
    assert failed(client) == set()
    with django_assert_num_queries(0):
        assert {client.get("/readyz").status_code for _ in range(20)} == {200}
    readiness.forget()
    with patch.object(MigrationExecutor, "__init__", side_effect=AssertionError):
        assert client.get("/readyz").status_code == 200


def test_many_who_ask_at_once() -> None:
    """One of them runs the checks; who asks meanwhile gets the last answer, or waits for the first one."""
    asked, may_end = [], Event()

    def ask() -> dict[str, bool]:
        asked.append(len(asked))
        may_end.wait(10)
        return {"x": len(asked) == 1}

    found = Readiness(ask)
    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(found.state) for _ in range(8)]
        time.sleep(0.2)
        may_end.set()
        assert [one.result() for one in first] == [{"x": True}] * 8
    assert asked == [0]
    may_end.clear()
    found.fresh = 0
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(found.state)
        while len(asked) < 2:
            time.sleep(0.01)
        assert found.state() == {"x": True}, "the last answer, at once"
        found.stale = 0
        assert found.state() == {"x": False}, "a check that hangs is one that fails"
        may_end.set()
        assert second.result() == {"x": False}


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


def test_a_refused_sender(db: None, client: Client) -> None:
    """N7: the mail server wants no mails from the portal."""
    MailServer.objects.create(pk=1, sender_refused_since=timezone.now(), sender_reply="550 5.7.1 No")
    assert failed(client) == {"sender"}


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


def test_a_key_that_opens_no_private_key(db: None, client: Client, settings: Any) -> None:
    """L6: what the portal signs with was encrypted with another KEY_ENCRYPTION_KEY."""
    active_key()
    assert failed(client) == set()
    right, settings.KEY_ENCRYPTION_KEY = settings.KEY_ENCRYPTION_KEY, Fernet.generate_key().decode()
    assert failed(client) == {"keys"}
    settings.KEY_ENCRYPTION_KEY += f",{right}"
    assert failed(client) == set()


@pytest.mark.slow
def test_without_database_and_broker(tmp_path: Path) -> None:
    """The process lives all the same, and says what is missing without a word about addresses or users."""
    server = environment(tmp_path, **SERVER, LOG_LEVEL="CRITICAL", DJANGO_SETTINGS_MODULE="mxportal.settings")
    done = subprocess.run(
        [sys.executable, "-c", ASK], check=True, cwd=ROOT, env=server, capture_output=True, text=True
    )
    alive, ready = done.stdout.splitlines()
    assert alive == '200 {"status": "ok"}'
    assert ready.startswith("503 ")
    told = json.loads(ready[4:])
    assert told["status"] == "unavailable"
    assert {name for name, state in told["checks"].items() if state == "failed"} >= NAMES - {"disk"}


@pytest.mark.slow
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
