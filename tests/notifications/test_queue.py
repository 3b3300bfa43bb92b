"""The outbox after a request, and the alarms that ring (N1, N3)."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.models import Mail, Status
from notifications.services import MailDraft, queue_mails, sweep


def test_mail_waits_in_the_outbox(db, queue, letter):
    """N1: queueing writes a row and renders nothing."""
    mail = queue(language="de", context={"number": 1}, request_key="k1")
    mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.language) == (Status.QUEUED, 0, "de")
    assert (mail.context, mail.request_key, mail.subject) == ({"number": 1}, "k1", "")
    assert letter.languages == []


def test_many_mails_ring_once(db, letter, django_capture_on_commit_callbacks):
    """N1: one alarm for each transaction with mails, however many mails there are."""
    with django_capture_on_commit_callbacks() as callbacks:
        mails = queue_mails(MailDraft(kind="letter", recipient_email=f"a{n}@x.example") for n in range(20))
        assert queue_mails([]) == []
    assert len(mails) == Mail.objects.count() == 20
    assert len({mail.message_id for mail in mails}) == 20
    assert len(callbacks) == 1


def test_queueing_has_a_fixed_number_of_queries(db, letter, django_assert_num_queries):
    with django_assert_num_queries(1):
        queue_mails(MailDraft(kind="letter", recipient_email=f"a{n}@x.example") for n in range(20))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_rolled_back_request_leaves_no_mail(smtp, worker, queue):
    """N1: a request that is rolled back sends no mail."""
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    assert Mail.objects.count() == 0
    assert sweep() == 0
    kept = queue(recipient_email="bob@x.example")
    smtp.wait_for(1)
    assert smtp.recipients == [[kept.recipient_email]]


@pytest.mark.parametrize(
    "address",
    [
        "alice@x.example\nBcc: eve@x.example",
        "alice@x.example\r\nBcc: eve@x.example",
        "alice@x.example\n",
        "alice@x.example\x00",
        "alice@x.example, eve@x.example",
        "alice",
        "",
        "a" * 250 + "@x.example",
    ],
)
def test_bad_address_is_refused_at_its_field(db, queue, address):
    """N3: each mail has one clean address; otherwise the error is at the field, and no row is written."""
    with pytest.raises(ValidationError) as caught:
        queue(recipient_email=address)
    assert list(caught.value.message_dict) == ["recipient_email"]
    assert Mail.objects.count() == 0


def test_one_bad_address_queues_none(db, letter):
    drafts = [
        MailDraft(kind="letter", recipient_email=address) for address in ("a@x.example", "b\n@x.example")
    ]
    with pytest.raises(ValidationError):
        queue_mails(drafts)
    assert Mail.objects.count() == 0


def test_unknown_kind_is_a_bug_and_says_so(db):
    with pytest.raises(ValueError, match="nobody-renders-me"):
        queue_mails([MailDraft(kind="nobody-renders-me", recipient_email="a@x.example")])


def test_unknown_language_falls_back(db, queue, settings):
    assert queue(language="xx").language == settings.LANGUAGE_CODE


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.SENT},
        {"sent_at": timezone.now()},
        {"status": Status.FAILED},
        {"status": "lost"},
        {"status": Status.CANCELLED, "claimed_until": timezone.now()},
    ],
)
def test_database_refuses_contradictions(db, queue, fields):
    """A sent mail has a time, a failed one a reason, and only a queued mail has a lease."""
    mail = queue()
    with pytest.raises(IntegrityError), transaction.atomic():
        Mail.objects.filter(pk=mail.pk).update(**fields)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_broker_down_fails_no_request_and_loses_no_mail(smtp, queue, broker_down, celery_with, worker_after):
    """N1: the row is the truth; the sweep delivers mails whose alarm is missing."""
    mail = queue()
    mail.refresh_from_db()
    assert (mail.status, smtp.messages) == (Status.QUEUED, [])
    with worker_after():
        assert sweep() == 1
        smtp.wait_for(1)


@pytest.mark.django_db(transaction=True)
def test_alarm_delivers_after_commit(smtp, worker, queue):
    with transaction.atomic():
        queue()
        assert smtp.messages == []
    smtp.wait_for(1)
