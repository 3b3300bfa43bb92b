"""What beat calls. Tasks may run twice, and two at once."""

from celery import shared_task

from entitlements.services import expiring, sealing

BATCHES_A_TURN = 10  # some seconds: mails wait for the same workers


@shared_task(name="entitlements.seal_ledger", ignore_result=True)
def seal_ledger() -> None:
    """Give the movements since the last time their places in the tree; of very many, the next turn takes the rest."""
    sealing.seal_ledger(batches=BATCHES_A_TURN)


@shared_task(name="entitlements.notify_expiring", ignore_result=True)
def notify_expiring() -> None:
    """N5: today's notices, unless they are written."""
    expiring.notify_expiring()


@shared_task(name="entitlements.send_digest", ignore_result=True)
def send_digest() -> None:
    """This week's digest, unless it is written."""
    expiring.send_digest()
