"""Tasks that beat starts. Each of them may run twice, and twice at once."""

import logging

from celery import shared_task

from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.ledger.sealing import publishing, record_sealing
from entitlements.ledger.sealing import seal as sealing
from entitlements.ledger.sealing.tree import SealingStoppedError
from entitlements.mailing.services import expiring

logger = logging.getLogger(__name__)

BATCHES_A_TURN = 10  # some seconds: mails wait for the same workers


@shared_task(name="entitlements.seal_ledger", ignore_result=True)
def seal_ledger() -> None:
    """Seal the movements and records since the last run, a limited number; the next run takes the others (E11)."""
    try:
        sealing.seal_ledger(batches=BATCHES_A_TURN)
        record_sealing.seal_records(batches=BATCHES_A_TURN)
    except SealingStoppedError as error:
        logger.error("Sealing stopped: %s. Run manage.py verify_ledger.", error)


@shared_task(name="entitlements.publish_head", ignore_result=True)
def publish_head() -> None:
    """Publish today's head of the ledger, unless it is published (E11)."""
    try:
        publishing.publish_head()
    except SealingStoppedError as error:
        logger.error("Sealing stopped: %s. Run manage.py verify_ledger.", error)


@shared_task(name="entitlements.notify_expiring", ignore_result=True)
def notify_expiring() -> None:
    """Queue today's notices, unless they are queued (N5)."""
    expiring.notify_expiring()


@shared_task(name="entitlements.send_digest", ignore_result=True)
def send_digest() -> None:
    """Queue this week's digest, unless it is queued (N5)."""
    expiring.send_digest()


@shared_task(
    name="entitlements.work_on_bulk_split", acks_late=True, reject_on_worker_lost=True, ignore_result=True
)
def work_on_bulk_split(pk: int) -> None:
    """Check, carry out, mail or undo this bulk split, as its row asks for."""
    bulk_jobs.work_on(pk)


@shared_task(name="entitlements.sweep_bulk_splits", ignore_result=True)
def sweep_bulk_splits() -> None:
    """Wake the bulk splits that stalled."""
    bulk_jobs.sweep_bulk_splits()
