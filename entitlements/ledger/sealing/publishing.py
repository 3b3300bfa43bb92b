"""Publishing of each day's head: as a file, by mail, with a time-stamp (E11)."""

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
MAX_BATCHES = 10


def publish_head() -> bool:
    """Publish today's head once, and ask again for a time-stamp that it did not get (E11).

    Returns False where there is nothing to do, or no head. Files are written before the row, so that a process that was
    killed in between writes them again. Raises SealingStoppedError.
    """
    wanted = settings.LEDGER_HEAD_RECIPIENTS or settings.LEDGER_HEAD_DIRECTORY or settings.TIMESTAMP_URL
    if not wanted:
        return False
    published = PublishedHead.objects.select_related("head__key").filter(day=today()).first()
    return _stamp_again(published) if published else _publish()


def _publish() -> bool:
    seal_ledger(batches=MAX_BATCHES)
    seal_records(batches=MAX_BATCHES)
    head = newest_signed_head()
    if head is None:
        return False
    document, day = head_document(head), today()
    stamp = _stamp(document)
    _write_files(day, document, stamp)
    try:
        _record_publication(day, head, stamp)
    except IntegrityError:
        return False  # another beat was faster
    return True


def _stamp_again(published: PublishedHead) -> bool:
    """Add a time-stamp to the head that was published without one, and mail it again.

    A head of an earlier day gets none: today's tree, which is stamped, contains it.
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
    """Return the name of the day's file."""
    return f"ledger-head-{day.isoformat()}.{ending}"


def _stamp(document: bytes) -> bytes:
    """Return a time-stamp of the file, or b"" where none is wanted or given.

    The head is published in any case.
    """
    if not settings.TIMESTAMP_URL:
        return b""
    try:
        return time_stamp(document)
    except TimeStampError as error:
        logger.error("Today's head has no time-stamp: %s", error)
        return b""


def _write_files(day: date, document: bytes, stamp: bytes) -> None:
    """Write each file completely or not at all, even if the process is killed meanwhile."""
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
def _record_publication(day: date, head: LedgerHead, stamp: bytes) -> None:
    """Record that the day's head is published, and queue its mails.

    Raises IntegrityError where another process has done so.
    """
    PublishedHead.objects.create(day=day, head=head, stamp=stamp)
    _queue_mails(day)


@transaction.atomic(durable=True)
def _add_stamp(day: date, stamp: bytes) -> bool:
    """Add the time-stamp and queue the mails again; return False where another process was faster."""
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
