"""N5: MOBOTIX's weekly digest of what expires."""

from datetime import date, timedelta
from typing import Any

import pytest

from entitlements.mailing.services.expiring import notify_expiring, send_digest
from entitlements.models import NoticeRun, today
from entitlements.models.kinds import MailKind
from notifications.models import Mail
from tests.entitlements.mailing.notices import TUESDAY, Clock, item_in, mailed, said_to, tick
from tests.factories import Cast, make_cast, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def cast(clock: Clock) -> Cast:
    return make_cast()


def test_the_digest(cast: Cast) -> None:
    """MOBOTIX's admins with the box ticked, what expires in 90 days by distributor, the most copies first."""
    tick(cast.mobotix, cast.mobotix_viewer, cast.distributor)
    item_in(cast, 90, quantity=10)
    item_in(cast, 91, quantity=1000)
    source = item_in(cast, 20, cast.other_distributor.account, quantity=30)
    split_item(cast.other_distributor, source, cast.other_installer.account, copies=12)
    item_in(cast, 5, cast.installer.account, quantity=4)
    assert [send_digest() for _ in range(2)] == [1, 0]
    assert mailed(MailKind.DIGEST) == [cast.mobotix.email]
    message = said_to(cast.mobotix)
    assert message is not None
    assert message.subject == "4 line items expire within 90 days"
    lines = [line for line in message.text.splitlines() if "copies:" in line]
    assert lines[1:] == [
        "Outside Trading: 2 line items, copies: 30",
        "Nordlicht Distribution: 1 line item, copies: 10",
        "Sold directly: 1 line item, copies: 4",
    ]
    assert "Line items: 4, copies: 44." in lines[0]


def test_the_digest_names_the_largest(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entitlements.mailing.pages.notices.MAX_LINES_SHOWN", 1)
    tick(cast.mobotix)
    item_in(cast, 20, quantity=10)
    item_in(cast, 20, cast.other_distributor.account, quantity=30)
    send_digest()
    message = said_to(cast.mobotix)
    assert message is not None
    assert "And 1 more distributor." in message.text
    assert "Outside Trading" in message.text
    assert "Nordlicht" not in message.text


def test_the_digest_once_an_iso_week(cast: Cast, clock: Clock) -> None:
    """Monday morning; where beat was down on Monday, later that week; over New Year too."""
    tick(cast.mobotix)
    item_in(cast, 80)
    sent = []
    for day in range(14):
        clock.go(TUESDAY + timedelta(days=day))
        sent += [clock.day] if send_digest() else []
    assert sent == [TUESDAY, date(2027, 3, 8), date(2027, 3, 15)]
    assert list(NoticeRun.objects.order_by("on").values_list("on", flat=True)) == [
        date(2027, 3, 1),
        date(2027, 3, 8),
        date(2027, 3, 15),
    ]


def test_no_digest_about_nothing(cast: Cast) -> None:
    tick(cast.mobotix)
    assert (send_digest(), Mail.objects.filter(kind=MailKind.DIGEST).count()) == (0, 0)


def test_mobotix_admins_get_the_digest_in_place_of_notices(cast: Cast) -> None:
    """N5: one mail a day and person at most, on Mondays too; its other people are told as everybody is."""
    tick(cast.mobotix, cast.mobotix_viewer)
    item_in(cast, 30)
    notify_expiring()
    send_digest()
    assert mailed() == [cast.mobotix_viewer.email]
    assert mailed(MailKind.DIGEST) == [cast.mobotix.email]


def test_the_day_is_mobotix_own(cast: Cast, clock: Clock, settings: Any) -> None:
    """E14: at half past eleven at night in UTC it is the next day in Berlin."""
    clock.go(TUESDAY, hour=23)
    assert today() == TUESDAY + timedelta(days=1)
    notify_expiring()
    assert NoticeRun.objects.get().on == TUESDAY + timedelta(days=1)
