"""Drafts of a bulk split: what was shown is what is split; who takes one over; who discards one."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry, User, UserStatus
from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.bulk.services.jobs import work_on
from entitlements.bulk.services.requests import (
    correct_bulk_split,
    discard_bulk_split,
)
from entitlements.models import BulkSplit, BulkState, LineItem
from mxportal.shared.forms import new_key
from tests.entitlements.bulk.making import go, line_for, split_bulk, start
from tests.factories import Cast, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if one line were many."""
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)


def correct(actor: User, bulk: BulkSplit, **options: Any) -> BulkSplit:
    known = {"seen": bulk.version, "corrections": {}, "create_customers": False, "key": new_key()}
    return correct_bulk_split(actor=actor, bulk_id=bulk.pk, **known | options)


def test_lines_that_nobody_has_seen_are_not_split(cast: Cast, item: LineItem) -> None:
    """E7: the draft was corrected in another window; the page that shows the lines before must not split these."""
    bulk = start(cast, item, line_for(cast.installer, 3))
    shown = bulk.version
    correct(cast.distributor, bulk, corrections={0: line_for(cast.installer, 30)})
    for ask in (go, lambda cast, bulk, **options: correct(cast.distributor, bulk, **options)):
        for stale in (shown, ""):
            with pytest.raises(ValidationError, match="The lines were changed after this page was opened"):
                ask(cast, bulk, seen=stale)
    assert not item.splits.exists()
    bulk.refresh_from_db()
    assert go(cast, bulk).copies == 30


def test_who_corrects_it_goes_on_with_it(cast: Cast, item: LineItem) -> None:
    """U7: a colleague takes a draft over, whoever began it and is gone."""
    bulk = start(cast, item, line_for(cast.installer, "x"))
    colleague = make_user(cast.distributor.account)
    User.objects.filter(pk=cast.distributor.pk).update(status=UserStatus.INACTIVE, login=None)
    bulk = correct(colleague, bulk, corrections={0: line_for(cast.installer, 3)})
    assert (bulk.state, bulk.actor, bulk.failure) == (BulkState.READY, colleague, "")


def test_a_draft_is_discarded(cast: Cast, item: LineItem, by_worker: None) -> None:
    """A6: the row stays, with who did it; names and addresses go. What a worker finds of it is no job any more."""
    bulk = start(cast, item, line_for(cast.installer, 3))
    discard_bulk_split(actor=cast.distributor, bulk_id=bulk.pk, key=new_key())
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.lines, bulk.findings, bulk.line_count) == (BulkState.DISCARDED, [], {}, 1)
    entry = AuditEntry.objects.about(bulk).get()
    assert (entry.actor, entry.action, entry.details) == (
        cast.distributor,
        "bulk_split_discarded",
        {"lines": 1},
    )
    with pytest.raises(ValidationError, match="has changed in the meantime"):
        go(cast, bulk)


def test_what_was_split_is_not_discarded(cast: Cast, item: LineItem) -> None:
    """A6: it has history."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer)])
    with pytest.raises(ValidationError, match="has changed in the meantime"):
        discard_bulk_split(actor=cast.distributor, bulk_id=bulk.pk, key=new_key())
    for stranger in (cast.other_distributor, cast.mobotix):
        with pytest.raises(BulkSplit.DoesNotExist):
            discard_bulk_split(actor=stranger, bulk_id=bulk.pk, key=new_key())
