"""What beat starts, and how often."""

from typing import Any

from celery.schedules import crontab

Call = dict[str, Any]
MORNING, NIGHT, ALWAYS = "6-22", "2-4", "*"  # hours


def beat_schedule(*, sweep_seconds: float) -> dict[str, Call]:
    """Return the tasks by a name for the log.

    A call that nobody took by the next one is dropped, because the next does the same. Daily and weekly work is called
    several times, in case beat was down at the first hour.
    """
    return {
        "sweep the outbox": _every(sweep_seconds, "notifications.sweep"),
        "sweep the bulk splits": _every(30, "entitlements.sweep_bulk_splits"),
        "seal the ledger": _every(60, "entitlements.seal_ledger"),
        "publish the head of the ledger": _at(20, ALWAYS, "entitlements.publish_head"),
        "tell of what expires": _at(5, MORNING, "entitlements.notify_expiring"),
        "sum up what expires": _at(10, MORNING, "entitlements.send_digest"),
        "tell of API tokens that end": _at(15, MORNING, "accounts.notify_ending_tokens"),
        "drop old requests from the API's log": _at(40, NIGHT, "accounts.drop_old_api_requests"),
        "drop old answers of the API": _at(45, NIGHT, "accounts.drop_old_answers"),
        "drop requests for a new password that were nobody's": _at(45, NIGHT, "accounts.drop_unknown_resets"),
        "drop sessions that are over": _at(35, ALWAYS, "accounts.drop_expired_sessions"),
        "drop counts of wrong logins that are over": _at(50, ALWAYS, "accounts.drop_old_attempts"),
    }


def _every(seconds: float, task: str) -> Call:
    return {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}


def _at(minute: int, hours: str, task: str) -> Call:
    schedule = crontab(minute=str(minute), hour=hours)
    return {"task": task, "schedule": schedule, "options": {"expires": 1800}}
