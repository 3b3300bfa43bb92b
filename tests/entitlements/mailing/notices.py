"""Days, items and people of the expiring notices and the digest."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from entitlements.models import LineItem
from entitlements.models.kinds import MailKind
from notifications.messages import Message
from notifications.models import Mail
from notifications.registry import render
from tests.factories import Cast, issue_item

TUESDAY = date(2027, 3, 2)


class Clock:
    """The day on which the portal believes itself to be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch, self.day = monkeypatch, TUESDAY
        self.go(TUESDAY)

    def go(self, day: date, hour: int = 9) -> None:
        self.day, now = day, datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
        self.patch.setattr(timezone, "now", lambda: now)


def tick(*people: User) -> None:
    for person in people:
        person.expiring_email = True
        person.save()


def item_in(cast: Cast, days: int, owner: Any = None, **fields: Any) -> LineItem:
    """Expires so many days after TUESDAY."""
    owner = owner or cast.distributor.account
    return issue_item(
        cast,
        owner,
        starts_on=TUESDAY - timedelta(days=9),
        expires_on=TUESDAY + timedelta(days=days),
        **fields,
    )


def mailed(kind: str = MailKind.EXPIRING) -> list[str]:
    """To whom, in the order of queueing."""
    return [mail.recipient_email for mail in Mail.objects.filter(kind=kind).order_by("pk")]


def said_to(person: User) -> Message | None:
    """What the newest notice says at delivery."""
    return render(
        Mail.objects.filter(
            recipient_email=person.email, kind__in=[MailKind.EXPIRING, MailKind.DIGEST]
        ).latest("pk")
    )
