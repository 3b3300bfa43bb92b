"""The outbox: mails are queued in the caller's transaction and delivered after it, with retries (N1, N2).

The row is the truth, and Celery only the alarm: `sweep` finds whatever the broker forgets.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from mxportal.shared.alarms import wake, wake_on_commit
from mxportal.shared.request_id import current_request_id
from notifications.delivery import deliver
from notifications.mail_server import (
    Turn,
    give_back_turn,
    is_unreachable,
    may_be_probed,
    note_unusable,
    note_usable,
    take_turn,
)
from notifications.messages import one_line
from notifications.models import Mail, Status, new_message_id
from notifications.registry import is_known
from notifications.transport import Connection

logger = logging.getLogger(__name__)
DELIVER = "notifications.deliver_mails"
# Mails in one task of the sweep.
MAIL_BATCH = 50
# Mails that one sweep wakes; the next sweep continues.
SWEEP_LIMIT = 10_000
# An alarm of a sweep expires after so many further sweeps.
SWEEPS_KEPT = 10


@dataclass(frozen=True, kw_only=True)
class MailDraft:
    """A mail to one recipient that is not yet in the outbox; `context` has primary keys and options, no secret (N4)."""

    kind: str
    recipient_email: str
    recipient_name: str = ""
    language: str = "en"
    context: Mapping[str, Any] = field(default_factory=dict)
    request_key: str = ""


def queue_mails(drafts: Iterable[MailDraft]) -> list[Mail]:
    """Write the mails in the caller's transaction, all or none; one alarm after its commit delivers them (N1).

    Raises ValidationError (field `recipient_email`) for an invalid address or one with a line break (N3).
    """
    mails = Mail.objects.bulk_create([_mail_from(draft) for draft in drafts])
    if mails:
        _wake_after_commit([mail.pk for mail in mails])
    return mails


def deliver_mails(pks: Iterable[int]) -> None:
    """Deliver those of these mails that are due and that no other deliverer has claimed, over one connection.

    Safe to call at any time, any number of times. A mail that fails does not stop the next one, but an unusable server
    ends the batch (N6). Mails that are left when the time of a batch is over get a new alarm.
    """
    turn, waiting = take_turn(), list(pks)
    if turn == Turn.WAIT:
        return
    end = time.monotonic() + settings.OUTBOX_BATCH_SECONDS
    with Connection() as connection:
        while waiting and time.monotonic() < end:
            is_usable = _deliver_safely(waiting.pop(0), connection)
            if is_usable is False:
                note_unusable()
                return
            if is_usable and turn == Turn.PROBE:
                note_usable()
                turn = Turn.DELIVER
    if turn == Turn.PROBE:
        give_back_turn()
    if waiting:
        _send_alarm(waiting)


def _deliver_safely(pk: int, connection: Connection) -> bool | None:
    try:
        return deliver(pk, connection)
    except Exception:
        # The row is still due, or will be when its lease is over, and the sweep finds it.
        logger.exception("Mail %s: the delivery was aborted", pk)
        return None


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """The person to whom a mail is sent in place of its former recipient (N8)."""

    email: str
    name: str
    language: str


@transaction.atomic
def retry_mail(pk: int, to: Recipient | None = None) -> Mail:
    """Make a failed or waiting mail due now, with all its attempts again ("Send again", N2).

    ``to`` is given where the recipient has another address by now (N8). Raises ValidationError for a mail that was sent
    or is not needed any more; its sender writes a new one.
    """
    mail = Mail.objects.with_clock().for_update().get(pk=pk)
    if mail.status not in {Status.QUEUED, Status.FAILED}:
        raise ValidationError(_("This e-mail is not waiting to be sent."), code="not_waiting")
    mail.status, mail.attempts, mail.next_attempt_at = Status.QUEUED, 0, mail.database_now
    mail.failure = mail.server_reply = ""
    # A valid lease stays, because its deliverer may still succeed.
    if to is not None and to.email != mail.recipient_email:
        _readdress(mail, to)
    mail.save()
    _wake_after_commit([mail.pk])
    return mail


def _readdress(mail: Mail, to: Recipient) -> None:
    """Make it another mail for another recipient, with a new Message-ID for the mail servers.

    Raises ValidationError while it is being delivered.
    """
    if mail.claimed_until is not None and mail.claimed_until > mail.database_now:
        raise ValidationError(
            _("This e-mail is being sent right now. Try again in a minute."), code="claimed"
        )
    mail.recipient_email, mail.recipient_name = _clean_address(to.email), one_line(to.name)[:200]
    mail.language, mail.message_id, mail.claimed_until = to.language, new_message_id(), None


@transaction.atomic
def retry_failed(pks: Iterable[int], to: Mapping[int, Recipient] | None = None) -> int:
    """Apply ``retry_mail`` to many failed mails, and return how many are due (N2).

    Mails that did not fail are skipped. ``to`` has the new recipients of some of them (N8).
    """
    failed = Mail.objects.filter(pk__in=list(pks), status=Status.FAILED).order_by("pk")
    mails = list(failed.with_clock().for_update())
    due = [mail.pk for mail in mails]
    for mail in mails:
        recipient = (to or {}).get(mail.pk)
        if recipient and recipient.email != mail.recipient_email:
            _readdress(mail, recipient)
            mail.save()
    afresh = {"status": Status.QUEUED, "attempts": 0, "next_attempt_at": Now()}
    Mail.objects.filter(pk__in=due).update(**afresh, failure="", server_reply="")
    if due:
        _wake_after_commit(due)
    return len(due)


def sweep() -> int:
    """Wake every due mail, whatever became of its alarm or deliverer, and return how many were woken (N1).

    While the mail server is unreachable, one batch is enough for the probe (N6).
    """
    most = 0 if not may_be_probed() else MAIL_BATCH if is_unreachable() else SWEEP_LIMIT
    due = Mail.objects.due().order_by("next_attempt_at")
    pks = list(due.values_list("pk", flat=True)[:most])
    for start in range(0, len(pks), MAIL_BATCH):
        # the next sweeps wake the same mails again, and their alarms must not pile up behind a slow server
        _send_alarm(pks[start : start + MAIL_BATCH], expires=SWEEPS_KEPT * settings.OUTBOX_SWEEP_SECONDS)
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
        next_attempt_at=Now(),
        request_key=draft.request_key,
        request_id=current_request_id(),
    )


def _clean_address(address: str) -> str:
    if not address.isprintable():
        sentence = _("An e-mail address must be one line without control characters.")
        raise ValidationError({"recipient_email": ValidationError(sentence, code="newline")})
    try:
        return str(Mail._meta.get_field("recipient_email").clean(address.strip(), None))
    except ValidationError as error:
        raise ValidationError({"recipient_email": error.error_list}) from error


def _wake_after_commit(pks: list[int]) -> None:
    """Wake a deliverer after the commit; without the broker the request succeeds, and the sweep delivers (N1).

    Many mails wake the sweep, which divides them into batches: a single task would keep its worker busy for longer than
    the broker waits for it.
    """
    if len(pks) > MAIL_BATCH:
        wake_on_commit("notifications.sweep")
    else:
        wake_on_commit(DELIVER, [pks])


def _send_alarm(pks: list[int], *, expires: float | None = None) -> None:
    wake(DELIVER, [pks], expires=expires)
