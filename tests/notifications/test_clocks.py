"""Processes with different clocks: leases and due times use the database's clock alone (N1, N2, N6)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.utils import timezone
from time_machine import travel

from notifications import registry
from notifications.models import Mail, MailServer, Status
from notifications.services import deliver_mails, retry_failed, retry_mail, sweep
from scripts.services import free_port

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
WRONG = pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["ahead", "behind"])


@pytest.fixture(autouse=True)
def nobody_rings(celery_with):
    """No alarm reaches a worker; each test delivers itself."""
    celery_with("memory://")


@pytest.fixture
def clock() -> Iterator[Callable[[timedelta], None]]:
    """From now on this process's clock is wrong by so much; the database's is right."""
    with ExitStack() as stack:

        def move(by: timedelta) -> None:
            stack.close()
            stack.enter_context(travel(timezone.now() + by))

        yield move


@WRONG
def test_mail_queued_with_a_wrong_clock_is_due_at_once(smtp, queue, clock, wrong):
    clock(wrong)
    mail = queue()
    clock(timedelta())
    assert sweep() == 1
    deliver_mails([mail.pk])
    assert Mail.objects.get().status == Status.SENT


@WRONG
def test_worker_with_a_wrong_clock_delivers(smtp, queue, clock, wrong):
    mail = queue()
    clock(wrong)
    deliver_mails([mail.pk])
    assert Mail.objects.get().status == Status.SENT


@WRONG
def test_pause_is_no_longer_with_a_wrong_clock(smtp, queue, clock, wrong):
    """N2: the first pause is a minute."""
    smtp.answer_to_data = "451 4.7.1 Later"
    clock(wrong)
    deliver_mails([queue().pk])
    clock(timedelta())
    pause = Mail.objects.get().next_attempt_at - timezone.now()
    assert timedelta(seconds=50) < pause < timedelta(seconds=75)


def test_lease_holds_when_another_worker_is_ahead(smtp, queue, letter, clock, monkeypatch):
    """N1: the clock jumps during a delivery, and a second worker tries the same mail: it is sent once."""
    mail, rendered = queue(), []

    def jump_meanwhile(row):
        rendered.append(row.pk)
        if len(rendered) == 1:
            clock(HOUR)
            deliver_mails([mail.pk])
        return letter.render(row)

    monkeypatch.setitem(registry._renderers, "letter", jump_meanwhile)
    deliver_mails([mail.pk])
    assert len(smtp.messages) == 1
    assert rendered == [mail.pk]


@WRONG
def test_mail_sent_again_with_a_wrong_clock_is_due(smtp, queue, clock, wrong):
    """N2: after the button, for one mail and for all that failed."""
    one, other = queue(), queue()
    Mail.objects.update(status=Status.FAILED, failure="refused")
    clock(wrong)
    retry_mail(one.pk)
    retry_failed([other.pk])
    clock(timedelta())
    assert sweep() == 2


@WRONG
def test_probe_is_asked_in_time_with_a_wrong_clock(smtp, queue, clock, settings, wrong):
    """N6: a process with a wrong clock that finds the server unreachable does not delay the others' probes."""
    good, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    clock(wrong)
    deliver_mails([queue().pk])
    clock(timedelta())
    assert MailServer.objects.get().next_probe_at <= timezone.now()
    settings.EMAIL_PORT = good
    mail = queue()
    deliver_mails([mail.pk])
    mail.refresh_from_db()
    assert mail.status == Status.SENT
