"""One mail and one attempt: claim the row, render, send, write down what became of it (N1, N2)."""

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

from notifications.bounces import note_fate
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
    """What to write on the row after an attempt."""

    status: Status
    subject: str = ""
    refusal: Refusal | None = None

    @property
    def is_usable(self) -> bool | None:
        """What it tells of the mail server; nothing where the mail never came so far (N6)."""
        if self.status == Status.CANCELLED or (self.refusal and self.refusal.failure == Failure.UNPREPARED):
            return None
        return self.refusal is None or not self.refusal.of_every_mail


def deliver(pk: int, connection: Connection) -> bool | None:
    """Attempt one mail where it is due: whether the server can be used, None where the attempt did not tell.

    Whoever rang, an alarm or the sweep: the log names the request that caused the mail.
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
    """Take the lease of a due mail, under lock; None when there is nothing to do.

    The attempt counts from here on, so that a mail which kills its worker each time comes to an end, too.
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
    """Render and send, outside any transaction; None when the lease was lost meanwhile."""
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
        # A bug in one kind of mail must stop neither its neighbours nor, once mended, the mail itself.
        logger.exception("Mail %s of the kind %s could not be prepared", mail.pk, mail.kind)
        refusal = Refusal(failure=Failure.UNPREPARED)
    if refusal is None:
        return _Outcome(status=Status.SENT, subject=subject)
    over = refusal.final or mail.attempts >= MAX_ATTEMPTS
    return _Outcome(status=Status.FAILED if over else Status.QUEUED, subject=subject, refusal=refusal)


def _kept_subject(message: Message) -> str:
    return "" if message.fresh_secret else one_line(message.subject)[:255]


def _held(mail: Mail) -> "models.QuerySet[Mail]":
    """The row, as long as the lease on it is the one that this deliverer took."""
    return Mail.objects.filter(pk=mail.pk, status=Status.QUEUED, claimed_until=mail.claimed_until)


def _renew_message_id(mail: Mail) -> bool:
    """N1: a fresh secret makes it another mail; its Message-ID is on the row before it is sent."""
    mail.message_id = new_message_id()
    return bool(_held(mail).update(message_id=mail.message_id))


def _settle(mail: Mail, outcome: _Outcome, holds_until: float) -> None:
    """Write down what became of it; a deliverer that comes late, its lease lost, overwrites nothing."""
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
    _write_patiently(mail, changes, outcome, holds_until)
    ATTEMPTS.labels(refusal.failure if refusal else outcome.status).inc()
    why = f" ({refusal.failure})" if refusal else ""
    logger.info("Mail %s after attempt %s%s", outcome.status, mail.attempts, why)


def _write_patiently(mail: Mail, changes: dict[str, Any], outcome: _Outcome, holds_until: float) -> None:
    """N1: the mail server answers once, so a database that restarts is waited for, as long as the lease lasts.

    ``holds_until``: its end by the monotonic clock, which nobody sets.
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
    refusal, now = outcome.refusal, timezone.now()
    if not _held(mail).update(**changes):
        return
    if refusal is None or refusal.final:
        note_fate(mail, changes["status"], changes["server_reply"], now)
    if outcome.is_usable is not None:
        note_sender(mail, refusal, now)


def _pause_after(attempts: int) -> timedelta:
    """N2: growing pauses, stretched by up to a fifth so that mails which failed together come back apart."""
    return PAUSES[attempts - 1] * random.uniform(1, 1.2)
