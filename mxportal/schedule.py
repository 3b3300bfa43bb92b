"""What beat calls, and how often."""

from typing import Any

from celery.schedules import crontab


def beat_schedule(*, sweep_seconds: float) -> dict[str, dict[str, Any]]:
    """By a name for the log. A call that nobody took by the next one is dropped: the next does the same."""
    return {
        "sweep the outbox": {
            "task": "notifications.sweep",
            "schedule": sweep_seconds,
            "options": {"expires": sweep_seconds},
        },
        "sweep the bulk splits": {
            "task": "entitlements.sweep_bulk_splits",
            "schedule": 30.0,
            "options": {"expires": 30},
        },
        "seal the ledger": {"task": "entitlements.seal_ledger", "schedule": 60.0, "options": {"expires": 60}},
        "publish the head of the ledger": {
            "task": "entitlements.publish_head",
            "schedule": crontab(minute="20"),
            "options": {"expires": 1800},
        },
        # Each is done once a day, and once a week; the other calls are for a beat that was down at six.
        "tell of what expires": {
            "task": "entitlements.notify_expiring",
            "schedule": crontab(minute="5", hour="6-22"),
            "options": {"expires": 1800},
        },
        "sum up what expires": {
            "task": "entitlements.send_digest",
            "schedule": crontab(minute="10", hour="6-22"),
            "options": {"expires": 1800},
        },
        "drop old requests from the API's log": {
            "task": "accounts.drop_old_api_requests",
            "schedule": crontab(minute="40", hour="2-4"),
            "options": {"expires": 1800},
        },
        "tell of API tokens that end": {
            "task": "accounts.notify_ending_tokens",
            "schedule": crontab(minute="15", hour="6-22"),
            "options": {"expires": 1800},
        },
        "drop old answers of the API": {
            "task": "accounts.drop_old_answers",
            "schedule": crontab(minute="45", hour="2-4"),
            "options": {"expires": 1800},
        },
        "drop requests for a new password that were nobody's": {
            "task": "accounts.drop_unknown_resets",
            "schedule": crontab(minute="45", hour="2-4"),
            "options": {"expires": 1800},
        },
        "drop sessions that are over": {
            "task": "accounts.drop_expired_sessions",
            "schedule": crontab(minute="35"),
            "options": {"expires": 1800},
        },
        "drop counts of wrong logins that are over": {
            "task": "accounts.drop_old_attempts",
            "schedule": crontab(minute="50"),
            "options": {"expires": 1800},
        },
    }
