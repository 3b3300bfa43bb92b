"""A mail server that cannot be used, and one that does not accept the portal as sender (N6, N7)."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from mxportal.celery import app
from notifications import services
from notifications.bounces import refusals_of
from notifications.mail_server import sender_is_accepted, server_problem
from notifications.models import Failure, Mail, MailServer, Status
from notifications.services import MAIL_BATCH, deliver_mails, sweep
from scripts.services import free_port

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@installer.example"


@pytest.fixture(autouse=True)
def alarms(celery_with, monkeypatch) -> list[list[int]]:
    """The alarms that would ring."""
    celery_with("memory://")
    rung: list[list[int]] = []
    monkeypatch.setattr(services, "_send_alarm", lambda pks, **options: rung.append(pks))
    return rung


@pytest.fixture
def drip() -> Iterator[int]:
    """A server that sends a byte every 50 ms and never ends a line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def speak() -> None:
            client, _ = server.accept()
            with client:
                try:
                    for _ in range(200):
                        client.sendall(b"2")
                        time.sleep(0.05)
                except OSError:
                    return  # it was hung up on, as it deserves

        speaker = threading.Thread(target=speak)
        speaker.start()
        yield server.getsockname()[1]
        speaker.join()


def fates(mails: list[Mail]) -> list[tuple[str, int, str]]:
    for mail in mails:
        mail.refresh_from_db()
    return [(mail.status, mail.attempts, mail.failure) for mail in mails]


def probe_is_due() -> None:
    MailServer.objects.update(next_probe_at=Now())


def test_batch_ends_at_an_unreachable_server(smtp, queue, settings):
    """N6: one of ten mails used an attempt; the others keep all of theirs."""
    settings.EMAIL_PORT = free_port()
    mails = [queue() for _ in range(10)]
    deliver_mails([mail.pk for mail in mails])
    assert fates(mails) == [(Status.QUEUED, 1, Failure.UNREACHABLE)] + [(Status.QUEUED, 0, "")] * 9
    assert server_problem().unreachable_since is not None


@pytest.mark.slow
def test_hanging_server_holds_a_batch_once(smtp, queue, settings):
    """N6: silence after MAIL FROM costs one time-out, however many mails there are."""
    settings.EMAIL_TIMEOUT, smtp.hangs = 0.3, True
    deliver_mails([queue().pk for _ in range(10)])
    assert smtp.connections == 1


def test_probes_have_a_pause(smtp, queue, settings, time_passes):
    """N6: the first probe comes at once, with another mail; then there is a pause."""
    good, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    mails = [queue() for _ in range(4)]
    pks = [mail.pk for mail in mails]
    for _ in range(5):
        deliver_mails(pks)
    assert [attempts for _, attempts, _ in fates(mails)] == [1, 1, 0, 0]
    settings.EMAIL_PORT = good
    deliver_mails(pks)
    assert smtp.messages == []
    probe_is_due()
    deliver_mails(pks)
    assert [status for status, *_ in fates(mails)] == [Status.QUEUED] * 2 + [Status.SENT] * 2
    assert server_problem() is None


@pytest.mark.slow
def test_one_probe_at_a_time(smtp, queue, settings):
    """N6: of six deliverers at once one probes, and the others do not wait for it."""
    settings.EMAIL_TIMEOUT, smtp.hangs = 2, True
    MailServer.objects.create(pk=MailServer.THE_ONE, unreachable_since=timezone.now(), next_probe_at=Now())
    pks = [queue().pk for _ in range(6)]
    start, ended = threading.Barrier(6), []

    def deliver(pk: int) -> None:
        start.wait()
        try:
            deliver_mails([pk])
            ended.append(smtp.connections)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver, args=[pk]) for pk in pks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert smtp.connections == 1
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 0, 1]


def test_probe_without_a_mail_leaves_the_turn_to_others(smtp, queue):
    MailServer.objects.create(pk=MailServer.THE_ONE, unreachable_since=timezone.now(), next_probe_at=Now())
    deliver_mails([4711])
    mail = queue()
    deliver_mails([mail.pk])
    assert fates([mail])[0][0] == Status.SENT


def test_probe_that_died_is_followed_by_another(smtp, queue):
    """N6: the lease of a probe ends; until then nobody probes."""
    later = timezone.now() + timedelta(minutes=2)
    MailServer.objects.create(pk=MailServer.THE_ONE, unreachable_since=timezone.now(), next_probe_at=later)
    mail = queue()
    deliver_mails([mail.pk])
    assert fates([mail]) == [(Status.QUEUED, 0, "")]
    probe_is_due()
    deliver_mails([mail.pk])
    assert fates([mail])[0][0] == Status.SENT


@pytest.mark.slow
def test_sweep_wakes_one_batch_for_an_unreachable_server(queue, alarms):
    """N6: and none before the pause is over, so that alarms do not pile up."""
    for _ in range(2 * MAIL_BATCH + 1):
        queue()
    alarms.clear()
    assert (sweep(), len(alarms)) == (2 * MAIL_BATCH + 1, 3)
    server = MailServer.objects.create(
        pk=MailServer.THE_ONE, unreachable_since=timezone.now(), next_probe_at=Now()
    )
    assert sweep() == MAIL_BATCH
    server.next_probe_at = timezone.now() + timedelta(minutes=1)
    server.save()
    assert sweep() == 0


@pytest.mark.slow
def test_batch_ends_with_its_time_and_rings_for_the_rest(smtp, queue, settings, alarms):
    """N6: it ends long before the broker gives its task to another worker."""
    settings.OUTBOX_BATCH_SECONDS, smtp.delay = 0.3, 0.2
    pks = [queue().pk for _ in range(6)]
    alarms.clear()
    deliver_mails(pks)
    assert alarms == [pks[len(smtp.messages) :]]
    assert 1 <= len(smtp.messages) <= 3


@pytest.mark.slow
def test_server_that_drips_is_left(queue, smtp, settings, drip):
    """N6: each byte comes in time, but the answer never ends."""
    settings.EMAIL_PORT, settings.EMAIL_DEADLINE = drip, 0.4
    mail = queue()
    began = time.monotonic()
    deliver_mails([mail.pk])
    assert time.monotonic() - began < 5  # of the ten seconds that it drips
    assert fates([mail]) == [(Status.QUEUED, 1, Failure.UNREACHABLE)]


def test_a_batch_is_shorter_than_the_visibility_time_out(settings):
    """N6: the time of a batch, of two failed connections, of opening one, and of one mail."""
    longest = settings.OUTBOX_BATCH_SECONDS + 2 * settings.EMAIL_TIMEOUT + 2 * settings.EMAIL_DEADLINE
    assert longest < settings.CELERY_VISIBILITY_TIMEOUT


def test_mails_have_a_queue_of_their_own():
    """N6: a worker without a named queue takes both."""
    names = ["notifications.deliver_mails", "notifications.sweep", "entitlements.work_on_bulk_split"]
    assert [app.amqp.router.route({}, name).get("queue") for name in names[:2]] == [
        app.amqp.queues["mails"]
    ] * 2
    assert app.amqp.router.route({}, names[2])["queue"] == app.amqp.queues["celery"]
    assert set(app.amqp.queues.consume_from) == {"celery", "mails"}


SENDER_REPLIES = ["550 5.1.8 Bad sender", "553 Sorry, your domain is not known", "550 5.7.1 Sender rejected"]


@pytest.mark.parametrize("reply", SENDER_REPLIES)
def test_refused_sender_is_the_portals_fault(smtp, queue, reply):
    """N7: at MAIL FROM: the mail is retried, the address is not affected, the batch ends, and `/readyz` fails."""
    smtp.answer_to_sender = reply
    mails = [queue(), queue(recipient_email="bob@x.example")]
    deliver_mails([mail.pk for mail in mails])
    assert fates(mails) == [(Status.QUEUED, 1, Failure.SENDER), (Status.QUEUED, 0, "")]
    assert refusals_of([ALICE]) == {}
    assert (sender_is_accepted(), server_problem().sender_reply, mails[0].server_reply) == (False, reply, "")
    smtp.answer_to_sender = ""
    probe_is_due()
    deliver_mails([mails[1].pk])
    assert (sender_is_accepted(), server_problem()) == (True, None)


@pytest.mark.parametrize("reply", ["552 Message too large", "552 5.3.4 Message too large"])
def test_too_large_a_mail_is_no_refused_sender(smtp, queue, reply):
    """N2: some servers refuse it at MAIL FROM, where the size is announced."""
    smtp.answer_to_sender = reply
    mail = queue()
    deliver_mails([mail.pk])
    assert fates([mail]) == [(Status.FAILED, 1, Failure.REFUSED)]
    assert sender_is_accepted()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_policy_is_retried_and_believed_from_a_second_domain_on(smtp, queue, step, time_passes):
    """N7: one recipient's server may refuse for its own reasons; a second domain confirms that the portal is
    refused.
    """
    policy = "554 5.7.1 Rejected by policy"
    smtp.answer_to_data = policy if step == "data" else "250 OK"
    smtp.refusals = (
        dict.fromkeys([ALICE, "carol@installer.example", "bob@x.example"], policy) if step == "rcpt" else {}
    )
    mails = [queue(), queue(recipient_email="carol@installer.example")]
    deliver_mails([mail.pk for mail in mails])
    assert fates(mails) == [(Status.QUEUED, 1, Failure.SENDER)] * 2
    assert refusals_of([ALICE]) == {}
    assert sender_is_accepted()
    deliver_mails([queue(recipient_email="bob@x.example").pk])
    assert not sender_is_accepted()
    smtp.answer_to_data, smtp.refusals = "250 OK", {}
    deliver_mails([queue().pk])
    assert sender_is_accepted()


def test_refused_greeting_is_a_refused_sender(smtp, queue, settings):
    """N7: the portal's address is on a block list."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_PORT = server.getsockname()[1]

        def refuse() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(b"554 5.7.1 Your address is listed\r\n")
                client.recv(100)

        refuser = threading.Thread(target=refuse)
        refuser.start()
        mail = queue()
        deliver_mails([mail.pk])
        refuser.join()
    assert fates([mail]) == [(Status.QUEUED, 1, Failure.SENDER)]
    assert not sender_is_accepted()
