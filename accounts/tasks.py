"""What beat calls."""

from celery import shared_task

from accounts.services.api_requests import drop_old_requests
from accounts.services.kept_answers import drop_old_answers
from accounts.services.token_notices import notify_ending_tokens


@shared_task(name="accounts.drop_old_api_requests", ignore_result=True)
def drop_old_api_requests() -> None:
    """Every night."""
    drop_old_requests()


@shared_task(name="accounts.drop_old_answers", ignore_result=True)
def drop_old_kept_answers() -> None:
    """Every night."""
    drop_old_answers()


@shared_task(name="accounts.notify_ending_tokens", ignore_result=True)
def tell_of_ending_tokens() -> None:
    """Every morning."""
    notify_ending_tokens()
