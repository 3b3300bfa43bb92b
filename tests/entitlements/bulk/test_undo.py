"""E8 for a whole bulk split: "Undo all"."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User, UserStatus
from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.bulk.services.jobs import work_on
from entitlements.ledger.verification import differences
from entitlements.models import BulkSplit, BulkState, LineItem, Movement, State
from entitlements.models.kinds import Action, MailKind
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Mail, Status
from notifications.registry import render
from tests.entitlements.bulk.making import go, line_for, sell_and_move, split_bulk, start, undo
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, make_user, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if one line were many."""
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)


def test_everything_comes_back(cast: Cast, item: LineItem) -> None:
    """E8: movements, Obsolete, and a word to who had the mail; what came back one by one before is left alone."""
    bulk = go(cast, start(cast, item, *[line_for(cast.installer, copies) for copies in (1, 2, 3)]))
    alone = bulk.items.order_by("pk").first()
    assert alone
    undo_split(actor=cast.distributor, item_id=alone.pk, copies=1, key=new_key())
    Mail.objects.filter(kind=MailKind.ACTIVATION).update(status=Status.SENT, sent_at=timezone.now())
    bulk = undo(cast.distributor, bulk)

    item.refresh_from_db()
    assert (bulk.state, bulk.undone_by, item.available, item.split) == (
        BulkState.UNDONE,
        cast.distributor,
        100,
        0,
    )
    assert set(bulk.items.values_list("quantity", "state")) == {(0, State.OBSOLETE)}
    assert Mail.objects.filter(kind=MailKind.UNDONE).count() == 2
    assert not list(differences())


def test_all_or_nothing_comes_back(cast: Cast, item: LineItem) -> None:
    """E8: one copy split further, and all stay where they are."""
    bulk = split_bulk(
        cast.distributor, [item], [line_for(cast.installer, 5), line_for(cast.sibling_installer, 5)]
    )
    bought = bulk.items.get(owner=cast.installer.account)
    split_item(cast.installer, bought, cast.customer, copies=1)
    with pytest.raises(ValidationError, match="See what stands in the way"):
        undo(cast.distributor, bulk)
    item.refresh_from_db()
    assert item.split == 10


def test_later_only_mobotix_undoes_and_says_why(cast: Cast, item: LineItem) -> None:
    """E8, E13: after the days."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 5)])
    bulk.items.update(created_at=timezone.now() - timedelta(days=15))
    with pytest.raises(ValidationError, match="See what stands in the way"):
        undo(cast.distributor, bulk)
    with pytest.raises(ValidationError, match="Enter why"):
        undo(cast.mobotix, bulk)
    undo(cast.mobotix, bulk, reason="agreed")
    assert Movement.objects.get(kind="undo").reason == "agreed"


def test_an_undo_refused_at_work_leaves_it_done(cast: Cast, item: LineItem, by_worker: None) -> None:
    """E8: what came in between is said, and nothing has changed."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 5)])
    bulk = undo(cast.distributor, bulk)
    assert bulk.state == BulkState.UNDOING
    split_item(cast.installer, bulk.items.get(), cast.customer, copies=1)
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.undone_by) == (BulkState.DONE, None)
    assert "See what stands in the way" in bulk.failure


def test_the_history_tells_of_it(cast: Cast, item: LineItem) -> None:
    """E3, E8: becoming Obsolete is a change of state like any other, with who, from what and why."""
    bulk = split_bulk(
        cast.distributor, [item], [line_for(cast.installer, 5), line_for(cast.sibling_installer)]
    )
    inactive, deployed = bulk.items.order_by("pk")
    LineItem.objects.filter(pk=inactive.pk).update(state=State.INACTIVE)
    undo(cast.mobotix, bulk, reason="agreed")
    changes = AuditEntry.objects.filter(action=Action.STATE_CHANGED, object_id__in=bulk.items.values("pk"))
    assert {(one.object_id, one.details["before"], one.details["after"], one.reason) for one in changes} == {
        (inactive.pk, "inactive", "obsolete", "agreed"),
        (deployed.pk, "deployed", "obsolete", "agreed"),
    }


def test_who_made_it_is_told_when_mobotix_undoes_it(cast: Cast, item: LineItem) -> None:
    """E8: one mail for all of it, with the reason, in the list of mails of its sources."""
    bulk = split_bulk(
        cast.distributor, [item], [line_for(cast.installer, 5), line_for(cast.sibling_installer)]
    )
    undo(cast.mobotix, bulk, reason="The order was cancelled")
    mail = Mail.objects.get(kind=MailKind.BULK_UNDONE)
    assert mail.recipient_email == cast.distributor.email
    assert list(mail.line_items.all()) == [item]
    message = render(mail)
    assert message
    assert message.subject == "6 copies of your bulk split came back to you"
    for text in ("2 line items", "The order was cancelled", reverse("bulk_split_detail", args=[bulk.pk])):
        assert text in message.text
        assert text in message.html


def test_who_is_told_when_who_made_it_is_gone(cast: Cast, item: LineItem) -> None:
    """E8: the contact of the item that the copies are on again."""
    colleague = make_user(cast.distributor.account)
    bulk = split_bulk(colleague, [item], [line_for(cast.installer, 5)])
    User.objects.filter(pk=colleague.pk).update(status=UserStatus.INACTIVE, login=None)
    undo(cast.mobotix, bulk, reason="agreed")
    assert Mail.objects.get(kind=MailKind.BULK_UNDONE).recipient_email == cast.distributor.email


def test_nobody_is_told_of_what_colleagues_do(cast: Cast, item: LineItem) -> None:
    """E8: the account takes its own bulk split back."""
    undo(
        cast.distributor, split_bulk(make_user(cast.distributor.account), [item], [line_for(cast.installer)])
    )
    assert not Mail.objects.filter(kind=MailKind.BULK_UNDONE).exists()


def test_a_person_of_mobotix_is_mobotix(cast: Cast, item: LineItem) -> None:
    """E12, A4: people of other accounts are named by their account; to their colleagues by their own name."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer)])
    undo(cast.mobotix, bulk, reason="agreed")
    where = reverse("bulk_split_detail", args=[bulk.pk])
    html = html_of(client_of(cast.distributor).get(where))
    assert "Undone by MOBOTIX AG." in html
    assert str(cast.mobotix) not in html
    assert f"Undone by {cast.mobotix}." in html_of(client_of(cast.mobotix).get(where))


def test_the_page_says_so_only_where_it_is_so(
    cast: Cast, item: LineItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E8: what is refused at work is not "taken back"; what is a worker's is under way."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 5)])
    where, client = reverse("bulk_split_undo", args=[bulk.pk]), client_of(cast.distributor)
    with monkeypatch.context() as patch:
        patch.setattr(bulk_jobs, "WORK_BY_STATE", bulk_jobs.WORK_BY_STATE | {BulkState.UNDOING: refuse})
        html = html_of(client.post(where, {"key": new_key()}, follow=True))
    assert "taken back" not in html
    assert "Something came in between." in html
    with monkeypatch.context() as patch:
        patch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)
        html = html_of(client.post(where, {"key": new_key()}, follow=True))
    assert "The bulk split is being undone." in html
    work_on(bulk.pk)
    assert "This bulk split was undone" in html_of(client.get(reverse("bulk_split_detail", args=[bulk.pk])))


def refuse(bulk: BulkSplit) -> None:
    """As where somebody split a copy further in that moment."""
    raise ValidationError("Something came in between.")


def test_who_asks_in_vain_after_a_move(cast: Cast) -> None:
    """A7, E8: the former seller made the split, and is told whom to ask."""
    bulk, _stays, _moved = sell_and_move(cast)
    html = html_of(client_of(cast.installer).get(reverse("bulk_split_undo", args=[bulk.pk])))
    assert "MOBOTIX has transferred this customer to another seller. Ask MOBOTIX to undo this split." in html


@pytest.mark.slow
def test_what_stands_in_the_way_is_read_at_once(cast: Cast, item: LineItem) -> None:
    """E8: a fixed number of queries, for one that is stuck and for seven; the newest splits of each are named."""
    counts = []
    for number in (1, 7):
        bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 7)] * number)
        for bought in bulk.items.all():
            for _ in range(6):
                split_item(cast.installer, bought, cast.customer, copies=1)
        where, client = reverse("bulk_split_undo", args=[bulk.pk]), client_of(cast.distributor)
        with CaptureQueriesContext(connection) as queries:
            html = html_of(client.get(where))
        assert html.count("1 copy was split further to Name withheld") == 5 * number
        assert html.count("1 more copy was also split.") == number
        counts.append(len(queries))
    assert counts[0] == counts[1]
