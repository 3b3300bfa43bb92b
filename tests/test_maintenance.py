"""O3: during maintenance nobody gets through, nothing is written, tasks rest, and every process knows."""

import time
from collections.abc import Iterator
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiRequest
from entitlements.models import LineItem, Movement
from entitlements.tasks import seal_ledger
from mxportal.maintenance import begin, end, mode
from mxportal.models import Maintenance
from notifications.models import Mail, Status
from notifications.tasks import deliver_mails
from tests.entitlements.api.client import assert_problem, program_of
from tests.entitlements.pages import client_of, html_of
from tests.entitlements.splits.split_pages import address, typed
from tests.factories import Cast, issue_item, make_cast


@pytest.fixture
def asked_each_time() -> Iterator[None]:
    mode.fresh = 0
    yield
    mode.fresh = float("inf")


pytestmark = [pytest.mark.usefixtures("asked_each_time")]


@pytest.mark.django_db(transaction=True)
def test_pages_say_so_and_keep_what_was_typed() -> None:
    """In both languages, with the operator's word; the same form goes through afterwards."""
    cast = make_cast()
    item = issue_item(cast)
    client, form = client_of(cast.distributor), typed(cast, step="complete")
    before = Movement.objects.count()
    begin("Back at <noon>.")
    answers = [client.get("/"), client.get("/login/"), client.post(address(item), form)]
    for answer in answers:
        page = unescape(html_of(answer))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "Back at <noon>." in page
        assert "The portal is under maintenance." in page
        assert "Das Portal wird gewartet." in page
    assert "Back at &lt;noon&gt;." in html_of(answers[0])
    assert "PO-77" in html_of(answers[2])
    assert Movement.objects.count() == before
    end()
    assert client.post(address(item), form).status_code == 302
    assert Movement.objects.count() > before


@pytest.mark.django_db(transaction=True)
def test_programs_get_a_problem_and_nothing_is_written() -> None:
    """P1: not even the API's log; the table of the flag alone is read."""
    program = program_of(make_cast().installer)
    begin()
    ApiRequest.objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        answer = program.get("/items", Accept_Language="de")
    problem = assert_problem(answer, 503, "maintenance")
    assert problem["detail"].startswith("Das Portal wird gewartet.")
    assert int(answer.headers["Retry-After"]) > 0
    assert not answer.cookies
    assert [query["sql"] for query in queries if "mxportal_maintenance" not in query["sql"]] == []
    assert not ApiRequest.objects.exists()
    end()
    assert program.get("/items").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_probes_are_answered() -> None:
    """A process manager restarts nothing for it."""
    begin()
    assert Client().get("/healthz").status_code == 200
    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_tasks_rest() -> None:
    """N1: what waits is taken up afterwards."""
    issue_item(make_cast())
    mail = Mail.objects.create(kind="x", recipient_email="a@b.example", language="en")
    begin()
    deliver_mails([mail.pk])
    seal_ledger()
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == (Status.QUEUED, 0)
    assert not Movement.objects.filter(leaf__isnull=False).exists()
    end()
    deliver_mails([mail.pk])
    seal_ledger()
    mail.refresh_from_db()
    assert mail.attempts == 1
    assert not Movement.objects.filter(leaf__isnull=True).exists()


def test_without_an_answer_it_stays_as_it_was(cast: Cast, item: LineItem) -> None:
    """The database restarts while it is maintained."""

    def gone(*args: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    Maintenance.objects.create(message="soon")
    assert mode.message() == "soon"
    with connection.execute_wrapper(gone):
        assert mode.message() == "soon"
    Maintenance.objects.all().delete()
    assert mode.message() is None


@pytest.mark.django_db(transaction=True)
def test_the_command() -> None:
    """On twice is on once; each action says how it stands."""

    def said(*arguments: str) -> str:
        out = StringIO()
        call_command("maintenance", *arguments, stdout=out)
        return out.getvalue()

    assert said("state") == "No maintenance.\n"
    assert said("on", "--message", "First.").startswith("Maintenance since ")
    assert said("on", "--message", "Second.").startswith("Maintenance since ")
    assert [row.message for row in Maintenance.objects.all()] == ["Second."]
    assert said("off") == said("off") == "No maintenance.\n"
    assert mode.message() is None


@pytest.mark.django_db(transaction=True)
def test_it_is_asked_once_a_second(django_assert_num_queries: Any) -> None:
    mode.fresh = 0.2
    time.sleep(0.2)
    with django_assert_num_queries(1):
        assert [mode.message() for _ in range(50)] == [None] * 50
