"""``manage.py clear_old``: delete now what beat deletes every night (O4)."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from accounts.services.api_requests import drop_old_requests
from accounts.services.attempts import drop_old_attempts
from accounts.services.credentials import drop_unknown_resets
from accounts.services.kept_answers import drop_old_answers
from accounts.services.sessions import drop_expired_sessions
from entitlements.bulk.services.jobs import drop_old_drafts

RULES: dict[str, Callable[[], int]] = {
    "Sessions that are over": drop_expired_sessions,
    "Requests in the API's log, after API_LOG_DAYS": drop_old_requests,
    "Answers of the API, after API_ANSWER_DAYS": drop_old_answers,
    "Counts of wrong logins that are over": drop_old_attempts,
    "Requests for a new password that were nobody's": drop_unknown_resets,
    "Drafts of bulk splits that nobody came back to, after 30 days": drop_old_drafts,
}


class Command(BaseCommand):
    """Deletes everything that is kept for a limited time."""

    help = (
        "Drops what is kept for a time only: sessions that are over, the API's log after API_LOG_DAYS and its kept "
        "answers after API_ANSWER_DAYS, counts of wrong logins, requests for a new password that were nobody's, and "
        "drafts of bulk splits after 30 days without a change. Nothing that has history is dropped. beat does the "
        "same; the command may run at any time, beside the portal."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and print how many of each kind."""
        for name, drop in RULES.items():
            self.stdout.write(f"{name}: {drop()}")
