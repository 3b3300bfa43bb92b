"""The outbox during failures: killed workers, and mail servers that hang, die and come back (N1, N2)."""

import os
import signal
import socket
from collections.abc import Iterator
from multiprocessing import get_context

import pytest
from django.db import connections

from notifications.delivery import LEASE
from notifications.models import Failure, Mail, Status
from notifications.services import MAIL_BATCH, MailDraft, deliver_mails, queue_mails, sweep
from notifications.smtp import EmailBackend
from tests.notifications.server import MoodyMailServer

pytestmark = pytest.mark.django_db(transaction=True)


class KilledAfterTheAnswer(EmailBackend):
    """The server has accepted the mail, and the process dies before anybody knows."""

    def send_messages(self, email_messages):
        super().send_messages(email_messages)
        os.kill(os.getpid(), signal.SIGKILL)


class KilledBeforeTheMail(EmailBackend):
    """The process dies while it holds the mail's lease."""

    def send_messages(self, email_messages):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def nobody_rings(celery_with):
    celery_with("memory://")


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A server that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def fate(mail: Mail) -> tuple[str, int, str]:
    mail.refresh_from_db()
    return mail.status, mail.attempts, mail.failure


def deliver_in_a_process_that_dies(*mails: Mail) -> None:
    connections.close_all()  # the child opens its own
    child = get_context("fork").Process(target=deliver_mails, args=([mail.pk for mail in mails],))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("backend", "copies"), [(KilledBeforeTheMail.__name__, 1), (KilledAfterTheAnswer.__name__, 2)]
)
def test_killed_worker(smtp, queue, settings, time_passes, nobody_rings, backend, copies):
    """N1: SIGKILL before or after the server's answer loses nothing; a mail that came twice has one Message-ID."""
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.{backend}"
    mails = [queue() for _ in range(3)]
    deliver_in_a_process_that_dies(*mails)
    settings.EMAIL_BACKEND = working
    assert fate(mails[0]) == (Status.QUEUED, 1, "")
    assert sweep() == 2  # the two behind it; the one in the dead hands waits for the end of its lease
    deliver_mails([mail.pk for mail in mails])
    assert [fate(mail)[0] for mail in mails] == [Status.QUEUED, Status.SENT, Status.SENT]
    time_passes(mails[0], seconds=LEASE.total_seconds() + 1)
    assert sweep() == 1
    deliver_mails([mails[0].pk])
    assert fate(mails[0]) == (Status.SENT, 2, "")
    ids = [message["Message-ID"] for message in smtp.messages]
    assert {mail.message_id: ids.count(mail.message_id) for mail in mails} == {
        mails[0].message_id: copies,
        mails[1].message_id: 1,
        mails[2].message_id: 1,
    }


@pytest.mark.slow
def test_mute_server(queue, smtp, settings, mute_port, make_due, nobody_rings):
    """N2: it accepts the connection and sends no greeting; EMAIL_TIMEOUT ends the wait, and the mail is sent later."""
    good, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = settings.EMAIL_PORT, mute_port, 0.3
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.QUEUED, 1, Failure.UNREACHABLE)
    settings.EMAIL_PORT = good
    make_due(mail)
    deliver_mails([mail.pk])
    assert (fate(mail)[0], len(smtp.messages)) == (Status.SENT, 1)


@pytest.mark.slow
def test_server_that_hangs_after_data(smtp, queue, settings, make_due, nobody_rings):
    """N1: it accepted the mail and does not answer: the answer is lost, and the same Message-ID is sent again."""
    settings.EMAIL_TIMEOUT, smtp.keeps_answer = 0.3, True
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.QUEUED, 1, Failure.UNREACHABLE)
    smtp.keeps_answer = False
    make_due(mail)
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.SENT, 2, "")
    assert [message["Message-ID"] for message in smtp.messages] == [mail.message_id] * 2


def test_server_that_dies_and_comes_back(smtp, queue, settings, make_due, nobody_rings):
    """N2, N6: it dies after the first mail's DATA; that mail may come twice, the others wait and come once."""
    mails = [queue(recipient_email=f"a{number}@x.example") for number in range(3)]
    with MoodyMailServer(loses_answer=True) as dying:
        settings.EMAIL_PORT = dying.port
        deliver_mails([mails[0].pk])
    deliver_mails([mail.pk for mail in mails[1:]])
    assert [fate(mail) for mail in mails[:2]] == [(Status.QUEUED, 1, Failure.UNREACHABLE)] * 2
    assert fate(mails[2]) == (Status.QUEUED, 0, "")  # the batch ended with the one before it
    with MoodyMailServer(port=dying.port) as restarted:
        for mail in mails:
            make_due(mail)
        deliver_mails([mail.pk for mail in mails])
    assert [fate(mail)[0] for mail in mails] == [Status.SENT] * 3
    came = [message["Message-ID"] for message in dying.messages + restarted.messages]
    assert came == [mails[0].message_id, *(mail.message_id for mail in mails)]


def test_server_that_shuts_down(smtp, queue, nobody_rings):
    """N2: 421 concerns the server, and neither the mail nor the address."""
    smtp.refusals = {"alice@installer.example": "421 4.3.2 Service shutting down"}
    mail = queue()
    deliver_mails([mail.pk, queue(recipient_email="bob@x.example").pk])
    assert fate(mail) == (Status.QUEUED, 1, Failure.POSTPONED)
    assert smtp.recipients == [["bob@x.example"]]


@pytest.mark.slow
def test_many_mails_are_dealt_out_in_batches(smtp, worker, letter):
    """N1: more mails than a task should have: one alarm wakes the sweep, and each mail is sent once."""
    count = 2 * MAIL_BATCH + 1
    queue_mails(MailDraft(kind="letter", recipient_email=f"a{number}@x.example") for number in range(count))
    smtp.wait_for(count, seconds=60)
    assert len({message["Message-ID"] for message in smtp.messages}) == count
