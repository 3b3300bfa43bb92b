"""The log: every line tells its request, and none holds what opens something."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from mxportal import logs
from notifications.models import Mail
from tests.factories import Cast

Lines = Callable[..., list[dict[str, Any]]]
ACTIVATION_ID = "7KQ4-0A1B-2C3D-4E5F-6G7H-8J9K-MNPQ"


@login_not_required
def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"No item {ACTIVATION_ID}")


urlpatterns = [path("broken/", broken), path("", include("mxportal.urls"))]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged, of one event or of all, as JSON on a server."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter("json"))
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield lambda event="": [
        line for line in map(json.loads, stream.getvalue().splitlines()) if event in line["event"]
    ]
    for logger in loggers:
        logger.removeHandler(handler)


def test_a_request_has_one_line(cast: Cast, client: Client, lines: Lines) -> None:
    """It tells who asked by number, not what was searched for; the answer has its ID."""
    client.force_login(cast.installer)
    answer = client.get("/accounts/", {"q": "Harbour"})
    (line,) = lines()
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["event"], line["user_id"]) == ("request_finished", cast.installer.pk)
    assert (line["code"], line["request"]) == (answer.status_code, "GET /accounts/")
    assert line["duration_ms"] >= 0
    assert cast.installer.email not in json.dumps(lines())


def test_a_foreign_host_is_no_noise(client: Client, lines: Lines) -> None:
    """Anybody can send one: it is refused with 400 in one line, without a traceback."""
    assert client.get("/login/", headers={"host": "evil.example"}).status_code == 400
    (line,) = lines()
    assert (line["event"], line["code"]) == ("request_finished", 400)
    assert "exception" not in line


def test_each_request_has_its_own(client: Client, lines: Lines) -> None:
    """One thread serves many: nothing of a request stays for the next."""
    ids = {client.get("/nothing/here/").headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    assert {line["request_id"] for line in lines()} == ids
    assert all("user_id" not in line for line in lines())


@pytest.mark.parametrize(
    ("trusted", "sent", "taken"),
    [
        (True, "7f3c-A_b.0123", True),
        (False, "7f3c-A_b.0123", False),
        (True, "short", False),
        (True, "x" * 65, False),
        (True, "abcdefgh\u00e9", False),
        (True, 'abcdefgh"} {"a": 1', False),
    ],
)
def test_whose_id_is_taken_over(client: Client, settings: Any, trusted: bool, sent: str, taken: bool) -> None:
    """Only that of a proxy of ours, and only where it is one: it goes into headers of answers and mails."""
    settings.DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = trusted
    answer = client.get("/nothing/here/", headers={"X-Request-ID": sent})
    assert (answer.headers["X-Request-ID"] == sent) is taken
    assert len(answer.headers["X-Request-ID"]) >= 8


def test_a_failure_is_logged_once(client: Client, settings: Any, lines: Lines) -> None:
    """With its traceback and the request's ID, and without the Activation ID that stands in the exception (E5)."""
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    answer = client.get("/broken/")
    assert answer.status_code == 500
    (line,) = lines()
    assert (line["event"], line["level"]) == ("request_failed", "error")
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert f"ValueError: No item …{ACTIVATION_ID[-4:]}" in line["exception"]
    assert ACTIVATION_ID not in json.dumps(line)


@pytest.mark.parametrize("form", logs.FORMATS)
@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("GET /password/reset/key/3-abc-012/ next", "GET /password/reset/key/… next"),
        ("GET /verify/q7Rk2_x/proof", "GET /verify/…/proof"),
        ("GET /activate/licenses/WzY5XQ:1xVrVR:fUSC/", "GET /activate/licenses/…/"),
        (f"id {ACTIVATION_ID}.", f"id …{ACTIVATION_ID[-4:]}."),
        (f"id {ACTIVATION_ID.lower()}\n", f"id …{ACTIVATION_ID[-4:].lower()}"),
        ("Key (login)=(o.neill+x@blick.example) exists", "Key (login)=(…@blick.example) exists"),
        (f"Bearer mxp_{'0a' * 24}, as sent", "Bearer …, as sent"),
        ("nothing of 1234-5678", "nothing of 1234-5678"),
    ],
)
def test_what_opens_something_is_masked(form: str, said: str, written: str) -> None:
    """U8, E5, E10: wherever it stands in a line, and whoever wrote the line."""
    record = logging.LogRecord("library", logging.INFO, "", 0, "%s", (said,), None)
    line = logs.formatter(form).format(record)
    assert written in (json.loads(line)["event"] if form == "json" else line)


def test_probes_and_style_sheets_are_not_logged(db: None, client: Client, lines: Lines) -> None:
    for address in ("/healthz", "/readyz", "/static/no_such.css"):
        assert "X-Request-ID" not in client.get(address).headers
    assert lines() == []


def test_a_mail_knows_its_request(cast: Cast, client: Client) -> None:
    """From the mail's row to the log, and back."""
    answer = client.post("/password/reset/", {"email": cast.installer.login})
    assert Mail.objects.get().request_id == answer.headers["X-Request-ID"]
