"""Tasks that beat starts."""

from celery import shared_task

from accounts.services.api_requests import drop_old_requests
from accounts.services.attempts import drop_old_attempts
from accounts.services.credentials import drop_unknown_resets
from accounts.services.kept_answers import drop_old_answers
from accounts.services.sessions import drop_expired_sessions
from accounts.services.token_notices import notify_ending_tokens


@shared_task(name="accounts.drop_old_api_requests", ignore_result=True)
def drop_old_api_requests() -> None:
    """Delete old entries of the API's log, every night."""
    drop_old_requests()


@shared_task(name="accounts.drop_old_answers", ignore_result=True)
def drop_old_kept_answers() -> None:
    """Delete old answers, every night."""
    drop_old_answers()


@shared_task(name="accounts.notify_ending_tokens", ignore_result=True)
def tell_of_ending_tokens() -> None:
    """Tell admins about tokens that end soon, every morning."""
    notify_ending_tokens()


@shared_task(name="accounts.drop_old_attempts", ignore_result=True)
def forget_old_attempts() -> None:
    """Delete old counts of attempts, every hour."""
    drop_old_attempts()


@shared_task(name="accounts.drop_unknown_resets", ignore_result=True)
def forget_unknown_resets() -> None:
    """Delete requests for a new password that nobody's address matched, every night."""
    drop_unknown_resets()


@shared_task(name="accounts.drop_expired_sessions", ignore_result=True)
def drop_sessions() -> None:
    """Delete expired sessions, every hour, because visitors' sessions last no longer."""
    drop_expired_sessions()
