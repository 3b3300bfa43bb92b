"""Two beats at once, and a clock that jumps: nothing is done twice, nothing stands still, and the ledger verifies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from entitlements.activation.services.licenses import end_licenses
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.models import LedgerHead, License, Movement, NoticeRun, today
from notifications.models import Mail
from tests.entitlements.activation.devices import put_on
from tests.factories import Cast, issue_item, make_chain

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now
JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]
MoveClock = Callable[[timedelta], None]


@pytest.fixture
def move_clock(monkeypatch: pytest.MonkeyPatch) -> MoveClock:
    """Django's clock, which every lease, limit and seal reads, goes on from another time."""

    def move(by: timedelta) -> None:
        def moved() -> datetime:
            return NOW() + by

        monkeypatch.setattr(timezone, "now", moved)

    return move


def ring_everything() -> None:
    """What one beat calls in a day, one after the other."""
    current_app.loader.import_default_modules()
    for task in sorted({entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}):
        current_app.tasks[task]()


def test_a_second_beat_changes_nothing(cast: Cast) -> None:
    """N5: each call of a beat may come twice."""
    User.objects.filter(pk=cast.distributor.pk).update(expiring_email=True)
    issue_item(cast, expires_on=today() + timedelta(days=30))
    ring_everything()
    before = [model.objects.count() for model in (Mail, NoticeRun, LedgerHead, Movement)]
    assert before[1] > 0
    ring_everything()
    assert [model.objects.count() for model in (Mail, NoticeRun, LedgerHead, Movement)] == before


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_sealing_goes_on_when_the_clock_jumps(cast: Cast, move_clock: MoveClock, jump: timedelta) -> None:
    """E11: there and back; what was issued meanwhile is sealed, and everything verifies."""
    for by in (timedelta(), jump, timedelta()):
        move_clock(by)
        issue_item(cast)
        seal_ledger()
    assert not Movement.objects.filter(leaf__isnull=True).exists()
    call_command("verify_ledger", stdout=StringIO())


@pytest.mark.slow
@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_notices_come_once_when_the_clock_jumps(cast: Cast, move_clock: MoveClock, jump: timedelta) -> None:
    """N5: a day that comes twice, or is left out, tells nobody twice."""
    User.objects.filter(pk=cast.distributor.pk).update(expiring_email=True)
    issue_item(cast, expires_on=today() + timedelta(days=30))
    told = Mail.objects.filter(kind="entitlements.expiring")
    for by in (timedelta(), jump, timedelta()):
        move_clock(by)
        ring_everything()
    assert told.count() == 1


def test_license_ends_although_it_was_issued_ahead(cast: Cast, move_clock: MoveClock) -> None:
    """L2: who gave it out had a clock an hour ahead; it comes back, changes, and is revoked all the same."""
    served = make_chain(cast).served
    move_clock(timedelta(hours=1))
    issued = put_on(cast, served, 2).issued_at
    move_clock(timedelta())
    put_on(cast, served, 1)
    ended = License.objects.exclude(ended_at=None).get()
    assert ended.ended_at == issued
    move_clock(timedelta(hours=1))
    put_on(cast, served, 2)
    move_clock(timedelta())
    end_licenses(served)
    assert not License.objects.filter(ended_at=None).exists()
