"""A request's ID reaches the task and the mail, whichever way the mail is sent."""

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars, clear_contextvars

from mxportal import logs
from notifications.models import Status
from notifications.services import deliver_mails, retry_mail

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST = {"request_id": "5f3a9c2e-request", "user_id": 7}


@pytest.fixture
def log_lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter("json"))
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def wait_until_sent(mail):
    until = time.monotonic() + 10
    while mail.status != Status.SENT and time.monotonic() < until:
        time.sleep(0.05)
        mail.refresh_from_db()
    time.sleep(0.1)  # the task's last line


def test_through_the_task_to_the_mail(worker, smtp, queue, log_lines):
    """N1: request, task and delivery log one ID, and the mail has it as well."""
    with bound_contextvars(**REQUEST):
        mail = queue()
    wait_until_sent(mail)
    [message] = smtp.messages
    assert message["X-Request-ID"] == mail.request_id == REQUEST["request_id"]
    found = {line["event"]: line for line in log_lines()}
    for event in ("task_enqueued", "task_started", "Mail sent after attempt 1", "task_succeeded"):
        assert (found[event]["request_id"], found[event]["user_id"]) == (REQUEST["request_id"], 7), event
    assert found["Mail sent after attempt 1"]["mail_id"] == mail.pk
    ours = [line for line in log_lines() if line["logger"] != "mail.log"]  # the mail server's is not ours
    assert "alice" not in json.dumps(ours)


def test_by_the_sweep_hours_later(celery_with, smtp, queue, log_lines, make_due):
    """N1, N2: the row keeps it, also when another request sends the mail again."""
    celery_with("memory://")
    with bound_contextvars(**REQUEST):
        mail = queue()
    clear_contextvars()
    smtp.answer_to_data = "451 Greylisted"
    deliver_mails([mail.pk])
    smtp.answer_to_data = "250 OK"
    with bound_contextvars(request_id="another-request"):
        retry_mail(mail.pk)
        deliver_mails([mail.pk])
    told = [(line["event"], line["request_id"]) for line in log_lines() if line["event"].startswith("Mail ")]
    assert told == [
        ("Mail queued after attempt 1 (postponed)", REQUEST["request_id"]),
        ("Mail sent after attempt 1", REQUEST["request_id"]),
    ]
    assert smtp.messages[-1]["X-Request-ID"] == REQUEST["request_id"]


def test_without_a_request(celery_with, smtp, queue):
    """Mails that the clock causes have no ID, and no empty header."""
    celery_with("memory://")
    clear_contextvars()
    mail = queue()
    deliver_mails([mail.pk])
    assert (mail.request_id, smtp.messages[0]["X-Request-ID"]) == ("", None)
