"""N5: expiring notices: who, what, when, and never twice or not at all."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from accounts.models import AccountStatus, RelationStatus, SellingRelation, User, UserStatus
from entitlements.mailing.services import expiring
from entitlements.mailing.services.expiring import notify_expiring
from entitlements.models import LineItem, NoticeKind, NoticeRun, State
from entitlements.models.kinds import MailKind
from mxportal.celery import app
from notifications.models import Mail
from notifications.registry import render
from tests.entitlements.mailing.notices import TUESDAY, Clock, item_in, mailed, said_to, tick
from tests.factories import Cast, make_cast, make_contact, make_product, make_user, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def cast(clock: Clock) -> Cast:
    return make_cast()


@pytest.mark.parametrize(
    ("days", "told"), [(91, 0), (90, 1), (89, 0), (31, 0), (30, 1), (8, 0), (7, 1), (6, 0), (0, 0)]
)
def test_at_the_marks(cast: Cast, days: int, told: int) -> None:
    """N5: 90, 30 and 7 days ahead, and on no other day."""
    tick(cast.distributor)
    item_in(cast, days)
    assert notify_expiring() == told == len(mailed())


def test_the_marks_are_a_setting(cast: Cast, settings: Any) -> None:
    settings.EXPIRING_NOTICE_DAYS = [14]
    tick(cast.distributor)
    item_in(cast, 14)
    item_in(cast, 30)
    assert notify_expiring() == 1
    message = said_to(cast.distributor)
    assert message is not None
    assert message.subject == "Licenses of Video Analytics expire on 16 Mar 2027"


def test_who_is_told(cast: Cast) -> None:
    """N5: people with the box ticked, of the owner and of its seller; nobody else, and nobody without."""
    everybody = [person for person in vars(cast).values() if isinstance(person, User)]
    tick(*(person for person in everybody if person != cast.installer_viewer))
    source = item_in(cast, 40)
    split_item(cast.distributor, source, cast.installer.account)  # of no mark yet
    assert notify_expiring() == 0
    LineItem.objects.filter(parent=source).update(expires_on=TUESDAY + timedelta(days=30))
    NoticeRun.objects.all().delete()
    notify_expiring()
    assert set(mailed()) == {cast.installer.email, cast.distributor.email, cast.distributor_viewer.email}


def test_a_contact_of_an_end_customer(cast: Cast) -> None:
    """N5, U5: contacts too; they get no link that would lead to a log-in."""
    tick(cast.customer_contact, cast.installer)
    installed = split_item(cast.distributor, item_in(cast, 30), cast.installer.account)
    split_item(cast.installer, installed, cast.customer, copies=10)
    assert notify_expiring() == 2
    message = said_to(cast.customer_contact)
    assert message is not None
    assert "Ask your seller for a renewal." in message.text
    assert "Seller: Blick Sicherheitstechnik" in message.text
    assert "/entitlements/" not in message.text
    to_seller = said_to(cast.installer)
    assert to_seller is not None
    assert "Owner: City Hospital" in to_seller.text
    assert "/entitlements/?expiring=90&sort=expiration" in to_seller.text


def test_what_is_left_out(cast: Cast) -> None:
    """N5, E3: nothing available or activated, inactive, obsolete, a draft."""
    tick(cast.distributor, cast.distributor_viewer)
    empty = item_in(cast, 30)
    split_item(cast.distributor, empty, cast.sibling_installer.account, copies=100)
    LineItem.objects.filter(parent=empty).update(state=State.INACTIVE)
    for state in (State.INACTIVE, State.OBSOLETE):
        LineItem.objects.filter(pk=item_in(cast, 30).pk).update(state=state)
    item_in(cast, 30, deploy=False)
    assert notify_expiring() == 0


@pytest.mark.parametrize("gone", ["person", "account", "box"])
def test_nobody_who_is_gone(cast: Cast, gone: str) -> None:
    """A5, U7: neither at queueing nor, where it happens later, at delivery."""
    tick(cast.distributor)
    item_in(cast, 30)
    notify_expiring()
    assert said_to(cast.distributor) is not None
    if gone == "account":
        cast.distributor.account.status = AccountStatus.INACTIVE
        cast.distributor.account.save()
    elif gone == "person":
        cast.distributor.status = UserStatus.INACTIVE
    else:
        cast.distributor.expiring_email = False
    cast.distributor.save()
    assert said_to(cast.distributor) is None
    NoticeRun.objects.all().delete()
    assert notify_expiring() == 0


def test_a_seller_that_sells_to_it_no_more(cast: Cast) -> None:
    """A7: the chain stays, but who lost the buyer is told no more."""
    tick(cast.distributor, cast.installer)
    split_item(cast.distributor, item_in(cast, 30, quantity=10), cast.installer.account)
    relation = SellingRelation.objects.filter(seller=cast.distributor.account, buyer=cast.installer.account)
    relation.update(status=RelationStatus.DECLINED)
    notify_expiring()
    assert mailed() == [cast.installer.email]


def test_nothing_left_to_say(cast: Cast) -> None:
    """N5: what was true at queueing need not be at delivery; a changed address is not written to."""
    tick(cast.distributor)
    item = item_in(cast, 30)
    notify_expiring()
    LineItem.objects.filter(pk=item.pk).update(expires_on=TUESDAY + timedelta(days=400))  # a renewal
    assert said_to(cast.distributor) is None
    LineItem.objects.filter(pk=item.pk).update(expires_on=TUESDAY + timedelta(days=30))
    assert said_to(cast.distributor) is not None
    mail = Mail.objects.get()
    cast.distributor.email = "new@distributor.example"
    cast.distributor.save()
    assert render(mail) is None


def test_one_mail_a_day_and_person(cast: Cast) -> None:
    """N5: whatever the number of items and marks; the same run again, and again an hour later, does nothing."""
    tick(cast.distributor)
    for days in (7, 30, 30, 90):
        item_in(cast, days)
    assert [notify_expiring() for _ in range(3)] == [1, 0, 0]
    message = said_to(cast.distributor)
    assert message is not None
    assert message.subject == "4 line items expire soon, the first on 9 Mar 2027"


def test_days_that_were_missed(cast: Cast, clock: Clock) -> None:
    """N5: beat was down for three days: what passed its mark meanwhile is told of once, and what expired is not."""
    tick(cast.distributor)
    first, missed, expired = item_in(cast, 30), item_in(cast, 32), item_in(cast, 9, quantity=3)
    assert notify_expiring() == 1
    clock.go(TUESDAY + timedelta(days=3))
    assert notify_expiring() == 1
    message = said_to(cast.distributor)
    assert message is not None
    assert message.text.count("Activation ID ends in") == 2  # at 30 days the one, at 7 the other
    assert missed.activation_id_tail in message.text
    assert expired.activation_id_tail in message.text
    assert first.activation_id_tail not in message.text
    clock.go(TUESDAY + timedelta(days=200))
    assert notify_expiring() == 0  # all of it has expired


def test_every_mark_is_told_of_exactly_once(cast: Cast, clock: Clock) -> None:
    """N5: over months with gaps of any length, each item at each of its marks, in one run and no other."""
    items = [item_in(cast, days) for days in (45, 100, 101, 160)]
    passed = [(item, item.expires_on - timedelta(days=mark)) for item in items for mark in (90, 30, 7)]
    told: set[tuple[int, int, date]] = set()
    for gap in (0, 1, 2, 5, 1, 0, 3, 10, 1, 6, 2, 1, 1, 8, 20, 4, 30, 1, 2, 19, 40):
        clock.go(clock.day + timedelta(days=gap))
        notify_expiring()
        run = NoticeRun.objects.latest("on")
        assert run.on == clock.day
        now = [(item, day) for item, day in passed if run.covers_after < day <= run.on]
        told.update((run.pk, item.pk, day) for item, day in now)
        running = {item.pk for item, _ in now if item.expires_on >= run.on}
        assert set(expiring.expiring_items(run).values_list("pk", flat=True)) == running
    due = [(item.pk, day) for item, day in passed if day >= TUESDAY]
    assert sorted((item, day) for _, item, day in told) == sorted(due)


@pytest.mark.parametrize(
    "fields",
    [
        {"on": TUESDAY, "covers_after": TUESDAY - timedelta(days=5)},  # the same day twice
        {
            "on": TUESDAY + timedelta(days=1),
            "covers_after": TUESDAY - timedelta(days=1),
        },  # the same days again
        {"on": TUESDAY + timedelta(days=1), "covers_after": TUESDAY + timedelta(days=1)},  # no day at all
        {"kind": "other", "on": TUESDAY, "covers_after": TUESDAY - timedelta(days=1)},
    ],
)
def test_the_database_refuses_a_second_run(cast: Cast, fields: dict[str, Any]) -> None:
    """N5: the constraints, and no lock, keep two beats apart."""
    notify_expiring()
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeRun.objects.create(**{"kind": NoticeKind.EXPIRING, **fields})


def test_a_run_that_breaks_off_leaves_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """N1, N5: the mails and the run are one transaction; the next call does it all."""
    tick(cast.distributor)
    item_in(cast, 30)

    def breaks(run: NoticeRun) -> int:
        queue(run)
        raise RuntimeError("The worker dies.")

    queue = expiring._queue_notices
    with monkeypatch.context() as patch:
        patch.setattr(expiring, "_queue_notices", breaks)
        before = transaction.savepoint()
        with pytest.raises(RuntimeError):
            notify_expiring()
        transaction.savepoint_commit(before)
    assert (NoticeRun.objects.count(), Mail.objects.filter(kind=MailKind.EXPIRING).count()) == (0, 0)
    assert notify_expiring() == 1


@pytest.mark.slow
def test_a_summary_when_many(cast: Cast) -> None:
    """N5: the soonest twenty, then a count and the link to the list."""
    tick(cast.distributor)
    product = make_product(name_en="Late", name_de="Spät")
    for _ in range(3):
        item_in(cast, 90, product_id=product.pk)
    for _ in range(20):
        item_in(cast, 7)
    notify_expiring()
    message = said_to(cast.distributor)
    assert message is not None
    assert "And 3 more line items." in message.text
    assert "And 3 more line items." in message.html
    assert "Late" not in message.text
    assert message.subject == "23 line items expire soon, the first on 9 Mar 2027"


def test_in_the_recipients_language_and_without_secrets(cast: Cast) -> None:
    """N3, N4, E5: the ID's last group only, product and dates in German."""
    cast.distributor.language = "de"
    tick(cast.distributor)
    item = item_in(cast, 30)
    notify_expiring()
    message = said_to(cast.distributor)
    assert message is not None
    assert message.subject == "Lizenzen von Videoanalyse laufen am 01.04.2027 ab"
    for text in (message.text, message.html):
        assert item.activation_id_tail in text
        assert item.activation_id not in text


def test_names_withheld_up_the_chain(cast: Cast) -> None:
    """A4, E12: who sold the item further up is not told of the buyer's buyer at all."""
    tick(cast.distributor)
    issued = item_in(cast, 30, quantity=10)
    installed = split_item(cast.distributor, issued, cast.installer.account)
    split_item(cast.installer, installed, cast.customer, copies=10)
    assert notify_expiring() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_a_run_has_a_fixed_number_of_queries(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    """N5: the same for one item and person as for three."""
    for _ in range(count):
        item_in(cast, 30)
        tick(make_user(cast.distributor.account, "Dirk"), make_contact(cast.distributor.account))
    with django_assert_num_queries(9):
        assert notify_expiring() == 2 * count


def test_beat_calls_both() -> None:
    """The schedule's tasks exist, and the first call of the day is in the morning."""
    app.loader.import_default_modules()
    entries = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
    for task in ("entitlements.notify_expiring", "entitlements.send_digest"):
        assert task in app.tasks
        assert min(entries[task].hour) == 6
    assert app.conf.timezone == "Europe/Berlin"
