"""O4: what is kept for a time only goes, and nothing else."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from accounts.models import ApiRequest
from accounts.tasks import drop_sessions
from entitlements.bulk.services.jobs import DRAFTS_KEPT
from entitlements.models import BulkSplit
from tests.entitlements.bulk.making import line_for, split_bulk, start
from tests.factories import Cast, issue_item

pytestmark = pytest.mark.django_db


def session(key: str, *, minutes: int) -> None:
    Session.objects.create(pk=key, expire_date=timezone.now() + timedelta(minutes=minutes))


def test_it_drops_what_is_old(cast: Cast, chain: Any) -> None:
    """One of each that is old, and one that is not; what was carried out stays for ever (A6)."""
    session("over", minutes=-1)
    session("alive", minutes=1)
    for days in (settings.API_LOG_DAYS + 1, settings.API_LOG_DAYS - 1):
        asked = ApiRequest.objects.create(method="GET", route="/", status=200, duration_ms=1)
        ApiRequest.objects.filter(pk=asked.pk).update(at=timezone.now() - timedelta(days=days))
    item = issue_item(cast)
    done = split_bulk(cast.installer, [chain.installed], [line_for(cast.customer_contact)])
    drafts = [start(cast, item, line_for(cast.installer)) for _ in range(2)]
    old = timezone.now() - DRAFTS_KEPT - timedelta(minutes=1)
    BulkSplit.objects.filter(pk__in=[done.pk, drafts[0].pk]).update(changed_at=old)
    out = StringIO()
    call_command("clear_old", stdout=out)
    assert [session.pk for session in Session.objects.all()] == ["alive"]
    assert ApiRequest.objects.count() == 1
    assert set(BulkSplit.objects.values_list("pk", flat=True)) == {done.pk, drafts[1].pk}
    said = dict(line.rsplit(": ", 1) for line in out.getvalue().splitlines())
    assert said["Sessions that are over"] == "1"
    assert said["Requests in the API's log, after API_LOG_DAYS"] == "1"
    assert said["Drafts of bulk splits that nobody came back to, after 30 days"] == "1"
    again = StringIO()
    call_command("clear_old", stdout=again)
    assert {line.rsplit(": ", 1)[1] for line in again.getvalue().splitlines()} == {"0"}


def test_beat_drops_sessions_every_night() -> None:
    """The task is one that a worker knows, and it does it."""
    called = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "accounts.drop_expired_sessions" in called
    current_app.loader.import_default_modules()
    assert called <= set(current_app.tasks)
    session("over", minutes=-1)
    drop_sessions()
    assert not Session.objects.exists()
