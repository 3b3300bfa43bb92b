"""E11: each day's head leaves the database: as a file, by mail, with a time-stamp."""

import logging
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from entitlements.ledger.sealing.anchors import head_document
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.sealing.time_stamps import TimeStampError, time_stamp
from entitlements.ledger.sealing.tree import newest_signed_head
from entitlements.models import LedgerHead, PublishedHead
from entitlements.models.kinds import MailKind
from mxportal.shared.days import today
from notifications.services import MailDraft, queue_mails

logger = logging.getLogger(__name__)
BATCHES = 10


def publish_head() -> bool:
    """Publish the head of today, once a day, and ask again for a time-stamp that it did not get.

    False where there is nothing to do, or no head. Files come before the row: whoever is killed between the two writes
    them again. Raises SealingStoppedError.
    """
    wanted = settings.LEDGER_HEAD_RECIPIENTS or settings.LEDGER_HEAD_DIRECTORY or settings.TIMESTAMP_URL
    if not wanted:
        return False
    published = PublishedHead.objects.select_related("head__key").filter(day=today()).first()
    return _stamp_again(published) if published else _publish()


def _publish() -> bool:
    seal_ledger(batches=BATCHES)
    seal_records(batches=BATCHES)
    head = newest_signed_head()
    if head is None:
        return False
    document, day = head_document(head), today()
    stamp = _stamp(document)
    _write_files(day, document, stamp)
    try:
        _note(day, head, stamp)
    except IntegrityError:
        return False  # another beat was quicker
    return True


def _stamp_again(published: PublishedHead) -> bool:
    """The head that was published without a time-stamp gets one, and a second mail brings it.

    That of an earlier day is not asked for any more: today's tree, which is stamped, contains that one.
    """
    if published.stamp or not settings.TIMESTAMP_URL:
        return False
    document = head_document(published.head)
    stamp = _stamp(document)
    if not stamp:
        return False
    _write_files(published.day, document, stamp)
    return _add_stamp(published.day, stamp)


def head_name(day: date, ending: str = "json") -> str:
    """The name of the file."""
    return f"ledger-head-{day.isoformat()}.{ending}"


def _stamp(document: bytes) -> bytes:
    """Empty where none is wanted, or its server does not give one: the head is published all the same."""
    if not settings.TIMESTAMP_URL:
        return b""
    try:
        return time_stamp(document)
    except TimeStampError as error:
        logger.error("Today's head has no time-stamp: %s", error)
        return b""


def _write_files(day: date, document: bytes, stamp: bytes) -> None:
    """Whole or not at all, whatever happens meanwhile."""
    if not settings.LEDGER_HEAD_DIRECTORY:
        return
    directory = Path(settings.LEDGER_HEAD_DIRECTORY)
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in ((head_name(day), document), (head_name(day, "tsr"), stamp)):
        if content:
            fresh = directory / f".{name}.new"
            fresh.write_bytes(content)
            fresh.replace(directory / name)


@transaction.atomic(durable=True)
def _note(day: date, head: LedgerHead, stamp: bytes) -> None:
    """Raises IntegrityError where the day has its head."""
    PublishedHead.objects.create(day=day, head=head, stamp=stamp)
    _queue_mails(day)


@transaction.atomic(durable=True)
def _add_stamp(day: date, stamp: bytes) -> bool:
    """False where another beat was quicker."""
    if not PublishedHead.objects.filter(day=day, stamp=b"").update(stamp=stamp):
        return False
    _queue_mails(day)
    return True


def _queue_mails(day: date) -> None:
    queue_mails(
        MailDraft(
            kind=MailKind.LEDGER_HEAD,
            recipient_email=address,
            language=settings.LANGUAGE_CODE,
            context={"day": day.isoformat()},
        )
        for address in settings.LEDGER_HEAD_RECIPIENTS
    )
