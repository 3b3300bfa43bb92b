"""One attempt to deliver one mail: claim the row, render, send, and record the result (N1, N2)."""

import logging
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import Counter
from structlog.contextvars import bound_contextvars

from notifications.bounces import record_fate
from notifications.mail_server import note_sender
from notifications.messages import Message, one_line
from notifications.models import Failure, Mail, Status, new_message_id
from notifications.registry import render
from notifications.transport import Connection, Refusal, compose

logger = logging.getLogger(__name__)
ATTEMPTS = Counter("portal_mail_attempts", "Attempts to deliver a mail, by what came of them.", ["outcome"])

LEASE = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
PAUSES = [timedelta(seconds=seconds) for seconds in settings.OUTBOX_PAUSE_SECONDS]
MAX_ATTEMPTS = len(PAUSES) + 1


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """The values to write on the row after an attempt."""

    status: Status
    subject: str = ""
    refusal: Refusal | None = None

    @property
    def is_usable(self) -> bool | None:
        """Whether the mail server can be used; None where the mail was not sent to it (N6)."""
        if self.status == Status.CANCELLED or (self.refusal and self.refusal.failure == Failure.UNPREPARED):
            return None
        return self.refusal is None or not self.refusal.of_every_mail


def deliver(pk: int, connection: Connection) -> bool | None:
    """Attempt to deliver one mail where it is due, and return whether the server can be used.

    None where the attempt does not tell. The log names the request that caused the mail, whether an alarm or the sweep
    starts the attempt.
    """
    holds_until = time.monotonic() + LEASE.total_seconds()
    mail = _claim(pk)
    if mail is None:
        return None
    request = {"request_id": mail.request_id} if mail.request_id else {}
    with bound_contextvars(mail_id=mail.pk, mail_kind=mail.kind, **request):
        outcome = _attempt(mail, connection)
        if outcome is None:
            return None
        _settle(mail, outcome, holds_until)
    return outcome.is_usable


@transaction.atomic(durable=True)
def _claim(pk: int) -> Mail | None:
    """Take the lease of a due mail under lock; None where there is nothing to do (N1).

    The attempt counts from this moment, so that a mail that kills its worker each time reaches its last attempt, too.
    """
    due = Mail.objects.due().with_clock().for_update(skip_locked=True)
    mail = due.filter(pk=pk).first()
    if mail is None:
        return None
    if mail.attempts >= MAX_ATTEMPTS:
        _give_up(mail)
        return None
    mail.attempts += 1
    mail.claimed_until = mail.database_now + LEASE
    mail.save(update_fields=["attempts", "claimed_until"])
    return mail


def _give_up(mail: Mail) -> None:
    mail.status, mail.claimed_until = Status.FAILED, None
    mail.failure, mail.server_reply = Failure.INTERRUPTED, ""
    mail.save(update_fields=["status", "claimed_until", "failure", "server_reply"])


def _attempt(mail: Mail, connection: Connection) -> _Outcome | None:
    """Render and send outside any transaction; None where the lease was lost meanwhile."""
    subject = ""
    try:
        message = render(mail)
        if message is None:
            return _Outcome(status=Status.CANCELLED)
        if message.fresh_secret and not _renew_message_id(mail):
            return None
        subject = _kept_subject(message)
        refusal = connection.send(compose(mail, message))
    except Exception:
        # A bug in one kind of mail must not stop other mails, nor this mail once the bug is fixed.
        logger.exception("Mail %s of the kind %s could not be prepared", mail.pk, mail.kind)
        refusal = Refusal(failure=Failure.UNPREPARED)
    if refusal is None:
        return _Outcome(status=Status.SENT, subject=subject)
    over = refusal.final or mail.attempts >= MAX_ATTEMPTS
    return _Outcome(status=Status.FAILED if over else Status.QUEUED, subject=subject, refusal=refusal)


def _kept_subject(message: Message) -> str:
    return "" if message.fresh_secret else one_line(message.subject)[:255]


def _still_claimed(mail: Mail) -> "models.QuerySet[Mail]":
    """Return a query for the row, which is empty once another deliverer has taken the lease."""
    return Mail.objects.filter(pk=mail.pk, status=Status.QUEUED, claimed_until=mail.claimed_until)


def _renew_message_id(mail: Mail) -> bool:
    """Give the mail a new Message-ID before it is sent: with a fresh secret it is another mail (N1, N4).

    Returns False where the lease was lost.
    """
    mail.message_id = new_message_id()
    return bool(_still_claimed(mail).update(message_id=mail.message_id))


def _settle(mail: Mail, outcome: _Outcome, holds_until: float) -> None:
    """Record the result; a deliverer that has lost its lease overwrites nothing."""
    refusal = outcome.refusal
    changes: dict[str, Any] = {
        "status": outcome.status,
        "claimed_until": None,
        "failure": refusal.failure if refusal else "",
        "server_reply": refusal.reply if refusal and refusal.failure != Failure.SENDER else "",
        "sent_at": timezone.now() if outcome.status == Status.SENT else None,
        "subject": outcome.subject or mail.subject,
    }
    if outcome.status == Status.QUEUED:
        changes["next_attempt_at"] = Now() + _pause_after(mail.attempts)
    _write_with_retries(mail, changes, outcome, holds_until)
    ATTEMPTS.labels(refusal.failure if refusal else outcome.status).inc()
    why = f" ({refusal.failure})" if refusal else ""
    logger.info("Mail %s after attempt %s%s", outcome.status, mail.attempts, why)


def _write_with_retries(mail: Mail, changes: dict[str, Any], outcome: _Outcome, holds_until: float) -> None:
    """Write the result, and wait for a database that restarts, because the mail server answers only once (N1).

    ``holds_until`` is the end of the lease by the monotonic clock, which nobody sets. Raises the database's error then.
    """
    while True:
        try:
            _write_down(mail, changes, outcome)
            return
        except (OperationalError, InterfaceError):
            if time.monotonic() >= holds_until:
                raise
            close_old_connections()
            time.sleep(1)


@transaction.atomic(durable=True)
def _write_down(mail: Mail, changes: dict[str, Any], outcome: _Outcome) -> None:
    """Write the result on the row, if this deliverer still holds the lease, and note what it tells."""
    refusal, now = outcome.refusal, timezone.now()
    if not _still_claimed(mail).update(**changes):
        return
    if refusal is None or refusal.final:
        record_fate(mail, changes["status"], changes["server_reply"], now)
    if outcome.is_usable is not None:
        note_sender(mail, refusal, now)


def _pause_after(attempts: int) -> timedelta:
    """Return the pause before the next attempt (N2).

    It is longer by up to a fifth, so that mails that failed together spread out.
    """
    return PAUSES[attempts - 1] * random.uniform(1, 1.2)
