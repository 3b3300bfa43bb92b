"""What beat calls. Tasks may run twice, and two at once."""

from celery import shared_task

from entitlements.services import sealing


@shared_task(name="entitlements.seal_ledger", ignore_result=True)
def seal_ledger() -> None:
    """Give the movements since the last time their places in the tree."""
    sealing.seal_ledger()
