"""E8 for a whole bulk split: "Undo all"."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from entitlements.models import BulkState, LineItem, Movement, State
from entitlements.services import bulk_jobs
from entitlements.services.bulk_jobs import work_on
from entitlements.services.ledger_verification import differences
from entitlements.services.mailing import ACTIVATION, UNDONE
from entitlements.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Mail, Status
from tests.entitlements.bulk import go, line_for, split_bulk, start, undo
from tests.factories import Cast, issue_item, make_cast, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def item(cast: Cast) -> LineItem:
    return issue_item(cast)


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if one line were many."""
    monkeypatch.setattr(bulk_jobs, "AT_ONCE", 0)


def test_everything_comes_back(cast: Cast, item: LineItem) -> None:
    """E8: movements, Obsolete, and a word to who had the mail; what came back one by one before is left alone."""
    bulk = go(cast, start(cast, item, *[line_for(cast.installer, copies) for copies in (1, 2, 3)]))
    alone = bulk.items.order_by("pk").first()
    assert alone
    undo_split(actor=cast.distributor, item_id=alone.pk, copies=1, key=new_key())
    Mail.objects.filter(kind=ACTIVATION).update(status=Status.SENT, sent_at=timezone.now())
    bulk = undo(cast.distributor, bulk)

    item.refresh_from_db()
    assert (bulk.state, bulk.undone_by, item.available, item.split) == (
        BulkState.UNDONE,
        cast.distributor,
        100,
        0,
    )
    assert set(bulk.items.values_list("quantity", "state")) == {(0, State.OBSOLETE)}
    assert Mail.objects.filter(kind=UNDONE).count() == 2
    assert not list(differences())


def test_all_or_nothing_comes_back(cast: Cast, item: LineItem) -> None:
    """E8: one copy split further, and all stay where they are."""
    bulk = split_bulk(
        cast.distributor, [item], [line_for(cast.installer, 5), line_for(cast.sibling_installer, 5)]
    )
    bought = bulk.items.get(owner=cast.installer.account)
    split_item(cast.installer, bought, cast.customer, copies=1)
    with pytest.raises(ValidationError, match="see what stands in the way"):
        undo(cast.distributor, bulk)
    item.refresh_from_db()
    assert item.split == 10


def test_later_only_mobotix_undoes_and_says_why(cast: Cast, item: LineItem) -> None:
    """E8, E13: after the days."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 5)])
    bulk.items.update(created_at=timezone.now() - timedelta(days=15))
    with pytest.raises(ValidationError, match="see what stands in the way"):
        undo(cast.distributor, bulk)
    with pytest.raises(ValidationError, match="Say why"):
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
    assert "see what stands in the way" in bulk.failure
