"""Delivery to a real mail server, which accepts, refuses or fails (N1–N4)."""

import logging
import threading
from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone, translation

from notifications import registry
from notifications.delivery import LEASE, MAX_ATTEMPTS, PAUSES
from notifications.models import Failure, Mail, Status
from notifications.services import deliver_mails, retry_mail, sweep
from notifications.smtp import EmailBackend
from scripts.services import free_port
from tests.live import login

pytestmark = pytest.mark.django_db(transaction=True)


class DyingBackend(EmailBackend):
    """Sends the mail and dies before anybody knows, as close to a power cut as one process can come."""

    def send_messages(self, email_messages):
        super().send_messages(email_messages)
        raise SystemExit


@pytest.fixture(autouse=True)
def nobody_rings(celery_with):
    """Alarms go to a broker without workers; each test delivers itself."""
    celery_with("memory://")


def fate(mail: Mail) -> tuple[str, int, str]:
    mail.refresh_from_db()
    return mail.status, mail.attempts, mail.failure


def test_delivered_once(smtp, queue):
    mail = queue(context={"number": 7})
    deliver_mails([mail.pk])
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.SENT, 1, "")
    assert (mail.subject, mail.claimed_until, mail.last_error) == ("Hello", None, "")
    assert timezone.now() - mail.sent_at < timedelta(seconds=10)
    assert smtp.recipients == [["alice@installer.example"]]


def test_headers_and_parts(smtp, queue, letter, settings):
    """N3: text and HTML in the recipient's language, marked as automatic, with the portal's Message-ID."""
    letter.attachments = [("certificate.pdf", b"%PDF-1.7", "application/pdf")]
    letter.subject = "Lizenz für Ärzte"
    mail = queue(language="de", recipient_name="Zoë Müller")
    deliver_mails([mail.pk])
    [message] = smtp.messages
    assert message["Subject"] == "Lizenz für Ärzte"
    assert message["From"] == settings.MAIL_FROM
    assert message["To"] == "Zoë Müller <alice@installer.example>"
    assert message["Message-ID"] == mail.message_id
    assert mail.message_id.endswith("@portal.example>")
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "de")
    assert message.get_body(("plain",)).get_content().startswith("Text")
    assert message.get_body(("html",)).get_content().startswith("<p>HTML")
    [attachment] = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("certificate.pdf", b"%PDF-1.7")
    assert letter.languages == ["de"]


@pytest.mark.parametrize(
    "name", ["Eve\r\nBcc: eve@x.example", 'O\'Neill, "Bob" <bob@x.example>', "漢字" * 100]
)
def test_names_inject_no_header(smtp, queue, name):
    """N3: whatever a name contains, there is one recipient and no additional header."""
    mail = queue(recipient_name=name)
    deliver_mails([mail.pk])
    assert fate(mail)[0] == Status.SENT
    [message] = smtp.messages
    assert [address.addr_spec for address in message["To"].addresses] == ["alice@installer.example"]
    assert message["Bcc"] is None
    assert smtp.recipients == [["alice@installer.example"]]


def test_subjects_inject_no_header(smtp, queue, letter):
    letter.subject = "Order 1\r\nBcc: eve@x.example"
    deliver_mails([queue().pk])
    assert smtp.messages[0]["Subject"] == "Order 1 Bcc: eve@x.example"
    assert smtp.messages[0]["Bcc"] is None


def test_batch_uses_one_connection(smtp, queue):
    deliver_mails([queue().pk for _ in range(5)])
    assert (len(smtp.messages), smtp.connections) == (5, 1)


def test_not_needed_any_more(smtp, queue, letter):
    letter.needed = False
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.CANCELLED, 1, "")
    assert smtp.messages == []


@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_permanent_refusal_is_final(smtp, queue, step):
    """N2: 5xx ends it at once, with the server's words for the sender."""
    smtp.refusals = {"alice@installer.example": "550 5.1.1 No such user"} if step == "rcpt" else {}
    smtp.answer_to_data = "550 5.1.1 No such user"
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.FAILED, 1, Failure.REFUSED)
    with translation.override("en"):
        assert (
            mail.last_error
            == "The mail server refused this e-mail. Answer of the mail server: 550 5.1.1 No such user"
        )
    assert mail.can_be_sent_again
    assert sweep() == 0


@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_temporary_refusal_waits(smtp, queue, step, make_due):
    """N2: after 4xx it is tried again after a pause, with the same Message-ID."""
    smtp.refusals = {"alice@installer.example": "451 Greylisted"} if step == "rcpt" else {}
    smtp.answer_to_data = "451 Greylisted"
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.QUEUED, 1, Failure.POSTPONED)
    assert "451 Greylisted" in mail.last_error
    deliver_mails([mail.pk])  # not due yet
    smtp.refusals, smtp.answer_to_data = {}, "250 OK"
    make_due(mail)
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.SENT, 2, "")
    assert [message["Message-ID"] for message in smtp.messages] == [mail.message_id]


@pytest.mark.slow
def test_refused_login_is_not_the_mails_fault(smtp, queue):
    """N2: while the portal's own login is wrong, no mail fails."""
    smtp.refusals = {"alice@installer.example": "530 5.7.0 Authentication required"}
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.QUEUED, 1, Failure.UNREACHABLE)


def test_pauses_grow_until_we_give_up(smtp, queue, settings, make_due):
    """N2: 1 min, 5 min, 30 min, 2 h, 6 h … and after some three days it fails, with the reason."""
    settings.EMAIL_PORT = free_port()
    mail = queue()
    for pause in PAUSES:
        before = timezone.now()
        deliver_mails([mail.pk])
        assert fate(mail)[0::2] == (Status.QUEUED, Failure.UNREACHABLE)
        assert pause <= mail.next_attempt_at - before <= pause * 1.2 + timedelta(seconds=10)
        make_due(mail)
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.FAILED, MAX_ATTEMPTS, Failure.UNREACHABLE)
    assert timedelta(days=2.5) < sum(PAUSES, timedelta()) < timedelta(days=3.5)


def test_silent_server_does_not_hold_us(smtp, queue, settings):
    """N2: EMAIL_TIMEOUT ends the wait; the mail is tried again."""
    settings.EMAIL_TIMEOUT = 0.3
    smtp.hangs = True
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.QUEUED, 1, Failure.UNREACHABLE)


def test_lost_answer_sends_twice_with_the_same_message_id(smtp, queue, make_due):
    """N1: the only cause of a duplicate, which the recipient's server can recognise."""
    smtp.loses_answer = True
    mail = queue()
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.QUEUED, 1, Failure.UNREACHABLE)
    smtp.loses_answer = False
    make_due(mail)
    deliver_mails([mail.pk])
    assert fate(mail)[0] == Status.SENT
    assert [message["Message-ID"] for message in smtp.messages] == [mail.message_id] * 2


def test_crash_between_send_and_settle(smtp, queue, settings, time_passes):
    """N1: nobody else touches the mail during the lease; then it is sent again with the same Message-ID."""
    settings.EMAIL_BACKEND = f"{__name__}.DyingBackend"
    mail = queue()
    with pytest.raises(SystemExit):
        deliver_mails([mail.pk])
    settings.EMAIL_BACKEND = "notifications.smtp.EmailBackend"
    assert (fate(mail)[0], sweep()) == (Status.QUEUED, 0)
    deliver_mails([mail.pk])
    assert len(smtp.messages) == 1
    time_passes(mail, seconds=LEASE.total_seconds() + 1)
    assert sweep() == 1
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.SENT, 2, "")
    assert [message["Message-ID"] for message in smtp.messages] == [mail.message_id] * 2


def test_mail_that_kills_its_worker_comes_to_an_end(smtp, queue, settings, time_passes):
    settings.EMAIL_BACKEND = f"{__name__}.DyingBackend"
    mail = queue()
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            deliver_mails([mail.pk])
        time_passes(mail, seconds=LEASE.total_seconds() + 1)
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.FAILED, MAX_ATTEMPTS, Failure.INTERRUPTED)
    assert len(smtp.messages) == MAX_ATTEMPTS


def test_fresh_secret_is_another_mail(smtp, queue, letter, make_due):
    """N1, N4: each attempt has a new Message-ID, which is on the row; the subject is not kept."""
    letter.secret = True
    smtp.loses_answer = True
    mail = queue()
    at_queueing = mail.message_id
    deliver_mails([mail.pk])
    smtp.loses_answer = False
    make_due(mail)
    deliver_mails([mail.pk])
    assert (fate(mail)[0], mail.subject) == (Status.SENT, "")
    first, second = (message["Message-ID"] for message in smtp.messages)
    assert len({at_queueing, first, second}) == 3
    assert mail.message_id == second


def test_bug_in_one_mail_blocks_no_other(smtp, queue, letter, caplog, make_due):
    """N2: it is logged and retried, other mails are sent, and so is this one after the fix."""
    letter.raises = {1}
    mails = [queue(context={"number": number}) for number in range(3)]
    with caplog.at_level(logging.ERROR):
        deliver_mails([mail.pk for mail in mails])
    assert [fate(mail)[0] for mail in mails] == [Status.SENT, Status.QUEUED, Status.SENT]
    assert "RuntimeError" in caplog.text
    assert "RuntimeError" not in mails[1].last_error
    letter.raises = set()
    make_due(mails[1])
    deliver_mails([mails[1].pk])
    assert fate(mails[1]) == (Status.SENT, 2, "")


def test_refused_recipient_blocks_no_other(smtp, queue):
    smtp.refusals = {"alice@installer.example": "550 No"}
    mails = [queue(), queue(recipient_email="bob@x.example")]
    deliver_mails([mail.pk for mail in mails])
    assert [fate(mail)[0] for mail in mails] == [Status.FAILED, Status.SENT]


def test_send_again(smtp, queue):
    """N2: a failed mail starts again; a sent one does not."""
    smtp.refusals = {"alice@installer.example": "550 No"}
    mail = queue()
    deliver_mails([mail.pk])
    retry_mail(mail.pk)
    assert fate(mail) == (Status.QUEUED, 0, "")
    smtp.refusals = {}
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.SENT, 1, "")
    with pytest.raises(ValidationError):
        retry_mail(mail.pk)
    assert fate(mail) == (Status.SENT, 1, "")


def test_send_again_while_waiting(smtp, queue):
    smtp.answer_to_data = "451 Later"
    mail = queue()
    deliver_mails([mail.pk])
    smtp.answer_to_data = "250 OK"
    assert (sweep(), retry_mail(mail.pk).status, sweep()) == (0, Status.QUEUED, 1)


def test_late_deliverer_overwrites_nothing(smtp, queue, letter):
    """N1: a deliverer that lost its lease records nothing; here the first renders so long that a second one
    delivers.
    """
    mail = queue()
    render, calls = letter.render, []

    def slow_render(row):
        calls.append(row)
        if len(calls) == 1:
            Mail.objects.filter(pk=mail.pk).update(claimed_until=Now())
            deliver_mails([mail.pk])
            smtp.answer_to_data = "550 Refused"
        return render(row)

    registry._renderers["letter"] = slow_render
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.SENT, 2, "")


def test_lost_lease_sends_no_second_secret(smtp, queue, letter):
    """N4: a deliverer that knows that it lost its lease does not send the mail with the older secret."""
    letter.secret = True
    mail = queue()
    render, calls = letter.render, []

    def slow_render(row):
        calls.append(row)
        if len(calls) == 1:
            Mail.objects.filter(pk=mail.pk).update(claimed_until=Now())
            deliver_mails([mail.pk])
        return render(row)

    registry._renderers["letter"] = slow_render
    deliver_mails([mail.pk])
    assert [message["Message-ID"] for message in smtp.messages] == [Mail.objects.get().message_id]


@pytest.mark.slow
def test_deliverers_at_once_send_once(smtp, queue):
    """N1: six threads on the same ten mails; without the lock some would be sent twice."""
    smtp.delay = 0.02
    pks = [queue().pk for _ in range(10)]
    start = threading.Barrier(6)

    def deliver():
        start.wait()
        try:
            deliver_mails(pks)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(smtp.messages) == 10
    assert set(Mail.objects.values_list("status", "attempts")) == {(Status.SENT, 1)}


def test_delivery_refuses_to_run_inside_a_transaction(smtp, queue, caplog):
    """N1: otherwise a mail could be sent and its row rolled back."""
    mail = queue()
    with caplog.at_level(logging.ERROR), transaction.atomic():
        deliver_mails([mail.pk])
    assert "durable" in caplog.text
    assert fate(mail) == (Status.QUEUED, 0, "")
    assert smtp.messages == []


@pytest.mark.postgres
def test_the_answer_is_written_down_though_the_database_breaks_off(smtp, queue, time_passes):
    """N1: a restarting database does not lose the server's answer, so the mail is not sent twice."""
    mail = queue()

    def end_all_sessions() -> None:
        with (
            closing(psycopg2.connect(f"{login()}/{connection.settings_dict['NAME']}")) as other,
            other.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    smtp.before_answer = end_all_sessions
    deliver_mails([mail.pk])
    assert fate(mail) == (Status.SENT, 1, "")
    time_passes(mail, seconds=LEASE.total_seconds() + 1)
    assert (sweep(), len(smtp.messages)) == (0, 1)
