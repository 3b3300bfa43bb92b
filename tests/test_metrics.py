"""What Prometheus is told: by the port that is for it alone, of all processes, and true of the rows."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from entitlements.ledger.movements import record_movement
from entitlements.models import MovementKind, UnsealedMovement
from mxportal.metrics import DatabaseCollector, MetricsMiddleware
from notifications.models import Failure, Mail, Status
from scripts.services import free_port, wait_for_port
from tests.factories import issue_item, make_cast
from tests.live import BIN, ROOT, Portal, process
from tests.test_embedded import environment


def mail(minutes: int, **changes: Any) -> None:
    due = timezone.now() - timedelta(minutes=minutes)
    Mail.objects.create(
        kind="x", recipient_email="a@b.example", language="en", next_attempt_at=due, **changes
    )


def scrape(port: int | str) -> dict[tuple[str, str], float]:
    """Every value by its name and its labels' values."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {(s.name, " ".join(sorted(s.labels.values()))): s.value for f in families for s in f.samples}


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.django_db(transaction=True)
def test_the_database_is_asked_at_each_scrape(django_assert_num_queries: Any) -> None:
    """N1, N2: outbox and ledger as the rows are now."""
    cast = make_cast()
    issue_item(cast, cast.distributor.account)
    Mail.objects.all().delete()
    mail(5)
    mail(90)
    mail(-60)
    mail(1, claimed_until=timezone.now() + timedelta(minutes=5))
    mail(99, status=Status.FAILED, failure=Failure.REFUSED)
    mail(99, status=Status.CANCELLED)
    registry = CollectorRegistry()
    registry.register(DatabaseCollector())
    connection.close_at = 0  # old, as it may happen to be: it is opened anew
    with django_assert_num_queries(6):
        value = {(s.name, *s.labels.values()): s.value for f in registry.collect() for s in f.samples}
    assert value["portal_database_up",] == 1
    states = {state: value["portal_outbox_mails", state] for state in ("due", "waiting", "failed")}
    assert states == {"due": 2, "waiting": 2, "failed": 1}
    assert value["portal_outbox_oldest_due_seconds",] == pytest.approx(90 * 60, abs=60)
    assert value["portal_unsealed_movements",] == UnsealedMovement.objects.count() > 0


@pytest.mark.django_db(transaction=True)
def test_only_committed_movements_are_counted() -> None:
    """E11: a transaction that is rolled back has moved nothing."""
    cast = make_cast()
    item = issue_item(cast, cast.distributor.account)

    def counted() -> float:
        return REGISTRY.get_sample_value("portal_movements_total", {"kind": "adjust"}) or 0

    before = counted()
    with transaction.atomic():
        record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=item, copies=2)
        transaction.set_rollback(True)
    assert counted() == before
    with transaction.atomic():
        record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=item, copies=2)
    assert counted() == before + 1


def test_nobody_makes_up_labels() -> None:
    """Each label is kept for ever, so a stranger must not be able to choose one."""
    middleware = MetricsMiddleware(lambda request: HttpResponse())
    middleware(RequestFactory().generic("MADEUP", "/made/up/"))
    labels = " ".join(str(s.labels) for family in REGISTRY.collect() for s in family.samples)
    assert "<invalid method>" in labels
    assert "MADEUP" not in labels
    assert "made/up" not in labels


@pytest.mark.slow
def test_one_scrape_tells_of_all_processes(tmp_path: Path) -> None:
    """Also of those that are dead; the site has no metrics, and the other port nothing else."""
    port, metrics = free_port(), free_port()
    settings = environment(
        tmp_path,
        PORT=str(port),
        METRICS_PORT=str(metrics),
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",  # not asked: a server of several processes
        WEB_CONCURRENCY="2",
    )
    command = [BIN / "gunicorn", "-c", "python:mxportal.gunicorn_conf", "mxportal.wsgi"]
    subprocess.run(
        [sys.executable, "manage.py", "migrate"], cwd=ROOT, env=settings, check=True, capture_output=True
    )
    answered = "django_http_responses_total_by_status_view_method_total", "200 GET healthz"
    with process(*command, environment=settings, log=tmp_path / "log") as arbiter:
        wait_for_port(port)
        assert [status(f"http://127.0.0.1:{port}/healthz") for _ in range(20)] == [200] * 20
        assert status(f"http://127.0.0.1:{port}/metrics") == 404
        assert scrape(metrics)[answered] == 20
        assert scrape(metrics)["portal_database_up", ""] == 1
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/login/", timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
        children = Path(f"/proc/{arbiter.pid}/task/{arbiter.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        time.sleep(1)
        wait_for_port(port)
        status(f"http://127.0.0.1:{port}/healthz")
        assert scrape(metrics)[answered] == 21
        [folder] = [Path(f) for f in open_folders(arbiter.pid)]
        assert list(folder.glob("*.db"))
    assert not folder.exists()


def open_folders(pid: int) -> set[str]:
    """Where the arbiter's mapped counters lie."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {line.split()[-1].rpartition("/")[0] for line in maps if "portal-metrics-" in line}


@pytest.mark.live
def test_one_id_from_the_request_to_the_mail(running: Portal, tmp_path: Path) -> None:
    """It stands in the answer, in the log of the web server and of the worker, and in the mail; both are counted."""
    cast = make_cast()
    page = urllib.request.Request(f"{running.url}/password/reset/")
    with urllib.request.urlopen(page, timeout=60) as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    token = cookie.partition("=")[2]
    form = f"email={cast.installer.login}&csrfmiddlewaretoken={token}".encode()
    request = urllib.request.Request(page.full_url, form, {"Cookie": cookie, "Referer": page.full_url})
    opener = urllib.request.build_opener(NoRedirect)
    with pytest.raises(urllib.error.HTTPError) as redirect:
        opener.open(request, timeout=60)
    with redirect.value as answer:
        request_id = answer.headers["X-Request-ID"]
    until = time.monotonic() + 15
    while not running.mails.messages and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    assert [str(message["X-Request-ID"]) for message in running.mails.messages] == [request_id]
    for log, event in {"web": "request_finished", "mails": "Mail sent"}.items():
        lines = (tmp_path / f"{log}.log").read_text().splitlines()
        assert [line for line in lines if request_id in line and event in line], log
    assert scrape(running.environment["METRICS_PORT"])["portal_outbox_mails", "due"] == 0
    worker = scrape(running.environment["MAILS_METRICS_PORT"])
    assert worker["portal_mail_attempts_total", "sent"] == 1
    assert worker["portal_tasks_total", "SUCCESS notifications.deliver_mails"] == 1


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """The answer itself is wanted."""
