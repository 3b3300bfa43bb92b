"""The tasks that deliver mails (N1). They carry primary keys only and may run twice."""

from celery import shared_task

from notifications import services


@shared_task(
    name="notifications.deliver_mails", acks_late=True, reject_on_worker_lost=True, ignore_result=True
)
def deliver_mails(pks: list[int]) -> None:
    """Deliver those of these mails that are due."""
    services.deliver_mails(pks)


@shared_task(name="notifications.sweep", ignore_result=True)
def sweep() -> None:
    """Wake every due mail whose alarm was lost; beat calls it."""
    services.sweep()
