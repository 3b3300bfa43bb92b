"""The outbox: queue in the caller's transaction, deliver after it, as often as it takes (N1, N2).

The row is the truth, Celery only the alarm clock: whatever the broker forgets, `sweep` finds.
"""

import logging
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, close_old_connections, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from prometheus_client import Counter
from structlog.contextvars import bound_contextvars

from mxportal.shared.request_id import current_request_id
from notifications.bounces import note_fate
from notifications.messages import Message, one_line
from notifications.models import Failure, Mail, Status, new_message_id
from notifications.registry import is_known, render
from notifications.transport import Connection, Refusal, compose

logger = logging.getLogger(__name__)
ATTEMPTS = Counter("portal_mail_attempts", "Attempts to deliver a mail, by what came of them.", ["outcome"])

LEASE = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
PAUSES = [timedelta(seconds=seconds) for seconds in settings.OUTBOX_PAUSE_SECONDS]
MAX_ATTEMPTS = len(PAUSES) + 1
# Mails in one task of the sweep.
BATCH = 50
# Mails that one sweep wakes; the next one goes on.
SWEEP_LIMIT = 10_000


@dataclass(frozen=True, kw_only=True)
class MailDraft:
    """One mail to one recipient, not yet in the outbox. `context`: primary keys and options, no secret (N4)."""

    kind: str
    recipient_email: str
    recipient_name: str = ""
    language: str = "en"
    context: Mapping[str, Any] = field(default_factory=dict)
    request_key: str = ""


def queue_mails(drafts: Iterable[MailDraft]) -> list[Mail]:
    """N1: write the mails in the caller's transaction, all or none; one alarm after its commit delivers them all.

    ValidationError (field `recipient_email`) for an address that is none or holds a line break (N3).
    """
    mails = Mail.objects.bulk_create([_mail_from(draft) for draft in drafts])
    if mails:
        _ring([mail.pk for mail in mails])
    return mails


def deliver_mails(pks: Iterable[int]) -> None:
    """Deliver those of these that are due and that nobody else is at, over one connection.

    Safe to call at any time, any number of times. One that goes wrong never stands in the way of the next.
    """
    with Connection() as connection:
        for pk in pks:
            try:
                _deliver(pk, connection)
            except Exception:
                # The row is still due, or will be when its lease is over: the sweep comes back to it.
                logger.exception("Mail %s: the delivery broke off", pk)


@transaction.atomic
def retry_mail(pk: int) -> Mail:
    """N2, "Send again": a failed or waiting mail is due now, with all its attempts before it.

    ValidationError for one that was sent or is not needed any more: its sender makes a new one.
    """
    mail = Mail.objects.select_for_update(no_key=True).get(pk=pk)
    if mail.status not in {Status.QUEUED, Status.FAILED}:
        raise ValidationError(_("This e-mail does not wait to be sent."), code="not_waiting")
    mail.status, mail.attempts, mail.next_attempt_at = Status.QUEUED, 0, timezone.now()
    mail.failure = mail.server_reply = ""
    # A live lease stays: who is delivering it at this moment may still succeed.
    mail.save(update_fields=["status", "attempts", "next_attempt_at", "failure", "server_reply"])
    _ring([mail.pk])
    return mail


@transaction.atomic
def retry_failed(pks: Iterable[int]) -> int:
    """`retry_mail` for many that failed; those that do not wait any more are left alone. Returns how many are due."""
    failed = Mail.objects.filter(pk__in=list(pks), status=Status.FAILED).order_by("pk")
    due = list(failed.select_for_update(no_key=True).values_list("pk", flat=True))
    afresh = {"status": Status.QUEUED, "attempts": 0, "next_attempt_at": timezone.now()}
    Mail.objects.filter(pk__in=due).update(**afresh, failure="", server_reply="")
    if due:
        _ring(due)
    return len(due)


def sweep() -> int:
    """N1: wake every mail that is due, whatever became of its alarm; those of a dead deliverer as well.

    Returns how many were woken.
    """
    due = Mail.objects.due(timezone.now()).order_by("next_attempt_at")
    pks = list(due.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for start in range(0, len(pks), BATCH):
        _send_alarm(pks[start : start + BATCH])
    return len(pks)


def _mail_from(draft: MailDraft) -> Mail:
    if not is_known(draft.kind):
        raise ValueError(f"No function renders mails of the kind {draft.kind!r}.")
    known_language = draft.language in dict(settings.LANGUAGES)
    return Mail(
        kind=draft.kind,
        recipient_email=_clean_address(draft.recipient_email),
        recipient_name=one_line(draft.recipient_name)[:200],
        language=draft.language if known_language else settings.LANGUAGE_CODE,
        context=dict(draft.context),
        request_key=draft.request_key,
        request_id=current_request_id(),
    )


def _clean_address(address: str) -> str:
    if not address.isprintable():
        sentence = _("An e-mail address stands on one line, without control characters.")
        raise ValidationError({"recipient_email": ValidationError(sentence, code="newline")})
    try:
        return str(Mail._meta.get_field("recipient_email").clean(address.strip(), None))
    except ValidationError as error:
        raise ValidationError({"recipient_email": error.error_list}) from error


def _ring(pks: list[int]) -> None:
    """Robust: with the broker down the request still succeeds, and the sweep delivers.

    Many mails wake the sweep, which deals them out in batches: as one task they would keep a single worker busy for
    longer than the broker waits for it.
    """

    def ring() -> None:  # no partial: Django names the function when it fails, and a partial has no name
        if len(pks) > BATCH:
            current_app.send_task("notifications.sweep")
        else:
            _send_alarm(pks)

    transaction.on_commit(ring, robust=True)


def _send_alarm(pks: list[int]) -> None:
    current_app.send_task("notifications.deliver_mails", [pks])


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What to write on the row after an attempt."""

    status: Status
    subject: str = ""
    refusal: Refusal | None = None


def _deliver(pk: int, connection: Connection) -> None:
    """Whoever rang, an alarm or the sweep: the log names the request that caused the mail."""
    mail = _claim(pk)
    if mail is not None:
        request = {"request_id": mail.request_id} if mail.request_id else {}
        with bound_contextvars(mail_id=mail.pk, mail_kind=mail.kind, **request):
            outcome = _attempt(mail, connection)
            if outcome is not None:
                _settle(mail, outcome)


@transaction.atomic(durable=True)
def _claim(pk: int) -> Mail | None:
    """Take the lease of a due mail, under lock; None when there is nothing to do.

    The attempt counts from here on, so that a mail which kills its worker each time comes to an end, too.
    """
    now = timezone.now()
    due = Mail.objects.due(now).select_for_update(skip_locked=True, no_key=True)
    mail = due.filter(pk=pk).first()
    if mail is None:
        return None
    if mail.attempts >= MAX_ATTEMPTS:
        _give_up(mail)
        return None
    mail.attempts += 1
    mail.claimed_until = now + LEASE
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


def _settle(mail: Mail, outcome: _Outcome) -> None:
    """Write down what became of it; a deliverer that comes late, its lease lost, overwrites nothing."""
    now = timezone.now()
    refusal = outcome.refusal
    changes: dict[str, Any] = {
        "status": outcome.status,
        "claimed_until": None,
        "failure": refusal.failure if refusal else "",
        "server_reply": refusal.reply if refusal else "",
        "sent_at": now if outcome.status == Status.SENT else None,
        "subject": outcome.subject or mail.subject,
    }
    if outcome.status == Status.QUEUED:
        changes["next_attempt_at"] = now + _pause_after(mail.attempts)
    _write_patiently(mail, changes, tells_of_address=refusal is None or refusal.final)
    ATTEMPTS.labels(refusal.failure if refusal else outcome.status).inc()
    why = f" ({refusal.failure})" if refusal else ""
    logger.info("Mail %s after attempt %s%s", outcome.status, mail.attempts, why)


def _write_patiently(mail: Mail, changes: dict[str, Any], *, tells_of_address: bool) -> None:
    """N1: the mail server answers once, so a database that restarts is waited for, as long as the lease lasts."""
    while True:
        try:
            _write_down(mail, changes, tells_of_address=tells_of_address)
            return
        except (OperationalError, InterfaceError):
            if mail.claimed_until is None or mail.claimed_until <= timezone.now():
                raise
            close_old_connections()
            time.sleep(1)


@transaction.atomic(durable=True)
def _write_down(mail: Mail, changes: dict[str, Any], *, tells_of_address: bool) -> None:
    if _held(mail).update(**changes) and tells_of_address:
        note_fate(mail, changes["status"], changes["server_reply"], timezone.now())


def _pause_after(attempts: int) -> timedelta:
    """N2: growing pauses, stretched by up to a fifth so that mails which failed together come back apart."""
    return PAUSES[attempts - 1] * random.uniform(1, 1.2)
