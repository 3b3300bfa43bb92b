"""N5: several beats call in the same moment."""

import threading
from datetime import timedelta

import pytest

from accounts.models import User
from entitlements.mailing.services import expiring
from entitlements.mailing.services.expiring import notify_expiring
from entitlements.models import NoticeKind, NoticeRun, today
from entitlements.models.kinds import MailKind
from notifications.models import Mail
from tests.concurrency.test_split_race import AT_ONCE, at_once
from tests.factories import issue_item, make_cast

pytestmark = pytest.mark.django_db(transaction=True)


def meeting_after_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each goes on only when all have seen that today's run is missing."""
    look, together, met = expiring._last_run, threading.Barrier(AT_ONCE), threading.local()

    def look_and_wait(kind: NoticeKind) -> NoticeRun | None:
        run = look(kind)
        if not hasattr(met, "once"):
            met.once = together.wait(10)
        return run

    monkeypatch.setattr(expiring, "_last_run", look_and_wait)


def test_several_beats_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """N5: one writes the run and one mail; the others find that it is done, and raise nothing."""
    cast = make_cast()
    User.objects.filter(pk=cast.distributor.pk).update(expiring_email=True)
    issue_item(cast, expires_on=today() + timedelta(days=30))
    meeting_after_the_look(monkeypatch)
    results = at_once(*[notify_expiring for _ in range(AT_ONCE)])

    assert sorted(results) == [0] * (AT_ONCE - 1) + [1]
    assert NoticeRun.objects.count() == 1
    assert Mail.objects.filter(kind=MailKind.EXPIRING).count() == 1
