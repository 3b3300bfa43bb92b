"""What beat calls. Tasks may run twice, and two at once."""

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
    """Give the movements since the last time their places in the tree; of very many, the next turn takes the rest."""
    try:
        sealing.seal_ledger(batches=BATCHES_A_TURN)
        record_sealing.seal_records(batches=BATCHES_A_TURN)
    except SealingStoppedError as error:
        logger.error("Sealing stopped: %s. Run manage.py verify_ledger.", error)


@shared_task(name="entitlements.publish_head", ignore_result=True)
def publish_head() -> None:
    """Today's head of the ledger, unless it is published."""
    try:
        publishing.publish_head()
    except SealingStoppedError as error:
        logger.error("Sealing stopped: %s. Run manage.py verify_ledger.", error)


@shared_task(name="entitlements.notify_expiring", ignore_result=True)
def notify_expiring() -> None:
    """N5: today's notices, unless they are written."""
    expiring.notify_expiring()


@shared_task(name="entitlements.send_digest", ignore_result=True)
def send_digest() -> None:
    """This week's digest, unless it is written."""
    expiring.send_digest()


@shared_task(
    name="entitlements.work_on_bulk_split", acks_late=True, reject_on_worker_lost=True, ignore_result=True
)
def work_on_bulk_split(pk: int) -> None:
    """Check, carry out or undo this bulk split, whichever its row asks for."""
    bulk_jobs.work_on(pk)


@shared_task(name="entitlements.sweep_bulk_splits", ignore_result=True)
def sweep_bulk_splits() -> None:
    """Wake the bulk splits that were left behind."""
    bulk_jobs.sweep_bulk_splits()
