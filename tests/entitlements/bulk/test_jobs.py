"""A bulk split as a job: kept, checked, corrected, carried out; and what a killed worker leaves behind."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import User
from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.bulk.services.jobs import MAX_ATTEMPTS, sweep_bulk_splits, work_on
from entitlements.bulk.services.lines import BulkLine
from entitlements.bulk.services.requests import carry_out, correct_bulk_split
from entitlements.models import BulkSplit, BulkState, LineItem, Movement
from entitlements.models.kinds import MailKind
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.bulk.making import go, line_for, split_bulk, start, undo
from tests.factories import Cast, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if one line were many."""
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)


def test_checked_then_carried_out(cast: Cast, item: LineItem) -> None:
    """E7: the check writes nothing; afterwards the lines, with their names and addresses, are gone."""
    bulk = start(cast, item, line_for(cast.installer, 3, number=2), line_for(cast.sibling_installer, 4))
    assert (bulk.state, bulk.line_count, bulk.copies) == (BulkState.READY, 2, 7)
    assert bulk.findings == {"lines": {}, "sources": {}, "taken": {str(item.pk): 7}, "new_customers": 0}
    assert not item.splits.exists()

    bulk = go(cast, bulk)
    assert (bulk.state, bulk.lines, bulk.copies) == (BulkState.DONE, [], 7)
    assert bulk.items.count() == 2
    assert Mail.objects.filter(kind=MailKind.ACTIVATION, line_items__in=bulk.items.all()).count() == 2


def test_each_step_answers_to_its_key(cast: Cast, item: LineItem) -> None:
    """E7: sent twice, done once, the same answer; another request with the key is refused."""
    line, keys = line_for(cast.installer, 3), [new_key() for _ in range(3)]
    first, second = (start(cast, item, line, key=keys[0]) for _ in range(2))
    assert first == second
    for _ in range(2):
        assert go(cast, first, key=keys[1]).state == BulkState.DONE
    assert item.splits.count() == 1
    for _ in range(2):
        assert undo(cast.distributor, first, key=keys[2]).state == BulkState.UNDONE
    assert Movement.objects.filter(kind="undo").count() == 1
    with pytest.raises(ValidationError, match="already sent with other values"):
        start(cast, item, line_for(cast.installer, 4), key=keys[0])
    with pytest.raises(ValidationError, match="already sent with other values"):
        go(cast, first, key=keys[1], send_mail=False)


def test_bad_lines_are_corrected_and_nothing_is_lost(cast: Cast, item: LineItem) -> None:
    """What is wrong stands at its line; one is corrected, one left out, the right ones stay as they are."""
    bulk = start(cast, item, line_for(cast.installer, "x"), line_for(cast.installer, 2), BulkLine(amount="1"))
    assert {index: list(errors) for index, errors in bulk.findings["lines"].items()} == {
        "0": ["amount"],
        "2": ["account_id"],
    }
    with pytest.raises(ValidationError, match="Correct the lines"):
        go(cast, bulk)
    bulk = correct_bulk_split(
        actor=cast.distributor,
        bulk_id=bulk.pk,
        seen=bulk.version,
        corrections={0: line_for(cast.installer, 1), 2: None},
        create_customers=False,
        key=new_key(),
    )
    assert not bulk_jobs.has_errors(bulk)
    assert [line.amount for line in bulk_jobs.lines_of(bulk)] == ["1", "2"]
    assert go(cast, bulk).items.count() == 2


def test_what_changed_meanwhile_stands_at_the_lines(cast: Cast, item: LineItem) -> None:
    """E7: checked again under the lock; it goes back to its preview and nothing was split."""
    bulk = start(cast, item, line_for(cast.installer, 60))
    split_item(cast.distributor, item, cast.installer.account, copies=50)
    bulk = go(cast, bulk)

    assert bulk.state == BulkState.READY
    assert bulk.findings["lines"] == {
        "0": {"amount": "Only 50 copies are available now. Enter a smaller amount."}
    }
    assert not bulk.items.exists()
    assert len(bulk.lines) == 1


def test_who_lost_the_right_meanwhile(cast: Cast, item: LineItem, by_worker: None) -> None:
    """U3, U7: the worker asks again who may."""
    bulk = start(cast, item, line_for(cast.installer))
    cast.distributor.status = "inactive"
    cast.distributor.save()
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.failure) == (
        BulkState.FAILED,
        "You may no longer do this with all of these line items.",
    )


def test_large_ones_are_left_to_a_worker(cast: Cast, item: LineItem, by_worker: None) -> None:
    """The row says what is to be done; a second worker, or a second alarm, changes nothing."""
    bulk = start(cast, item, line_for(cast.installer, 3))
    assert bulk.state == BulkState.CHECKING
    work_on(bulk.pk)
    bulk.refresh_from_db()
    bulk = go(cast, bulk)
    assert bulk.state == BulkState.RUNNING
    for _ in range(2):
        work_on(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.items.count()) == (BulkState.DONE, 1)
    assert bulk_jobs.progress_of(bulk) == 0


def test_a_job_that_kills_its_worker_comes_to_an_end(cast: Cast, item: LineItem, by_worker: None) -> None:
    """The attempts count before the work; the lines stay, so that it can be tried again."""
    bulk = start(cast, item, line_for(cast.installer, 3))
    BulkSplit.objects.filter(pk=bulk.pk).update(attempts=MAX_ATTEMPTS)
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, len(bulk.lines)) == (BulkState.FAILED, 1)
    assert "try again" in bulk.failure

    bulk = correct_bulk_split(
        actor=cast.distributor,
        bulk_id=bulk.pk,
        seen=bulk.version,
        corrections={},
        create_customers=False,
        key=new_key(),
    )
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert bulk.state == BulkState.READY


def test_the_sweep_wakes_what_was_left_and_drops_old_drafts(
    cast: Cast, item: LineItem, by_worker: None
) -> None:
    """Jobs in hand for half a minute; drafts of a month. What was carried out stays."""
    old, left, fresh = (start(cast, item, line_for(cast.installer, 3)) for _ in range(3))
    done = split_bulk(cast.distributor, [item], [line_for(cast.installer)])
    month = timezone.now() - timedelta(days=31)
    BulkSplit.objects.filter(pk__in=[old.pk, done.pk]).update(changed_at=month)
    BulkSplit.objects.filter(pk=old.pk).update(state=BulkState.READY)
    BulkSplit.objects.filter(pk=left.pk).update(changed_at=timezone.now() - timedelta(minutes=1))

    assert sweep_bulk_splits() == 1
    assert set(BulkSplit.objects.all()) == {left, fresh, done}


def test_others_bulk_splits_are_not_there(cast: Cast, item: LineItem) -> None:
    """E12: of another account; who only views may not."""
    bulk = start(cast, item, line_for(cast.installer))
    options: dict[str, Any] = {"bulk_id": bulk.pk, "seen": bulk.version, "key": new_key(), "send_mail": True}
    for stranger in (cast.other_distributor, cast.installer, cast.mobotix):
        with pytest.raises(BulkSplit.DoesNotExist):
            carry_out(actor=stranger, **options)
    with pytest.raises(PermissionDenied):
        carry_out(actor=cast.distributor_viewer, **options)


def test_what_keeps_failing_says_so_in_the_reader_s_language(
    cast: Cast, item: LineItem, by_worker: None
) -> None:
    """N3: whoever asked reads it; the worker itself has none."""
    User.objects.filter(pk=cast.distributor.pk).update(language="de")
    bulk = start(cast, item, line_for(cast.installer, 3))
    BulkSplit.objects.filter(pk=bulk.pk).update(attempts=MAX_ATTEMPTS)
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert "Versuchen Sie" in bulk.failure or "versuchen Sie" in bulk.failure


@pytest.mark.parametrize("at_once", [0, 500])
def test_the_work_goes_on_without_a_cache(
    cast: Cast,
    item: LineItem,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    at_once: int,
) -> None:
    """The progress is a comfort: with Redis down it is missing, which the log says; a small job never asks for it."""
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", at_once)
    redis = "mxportal.shared.redis_cache.ForgivingRedisCache"
    settings.CACHES = {"default": {"BACKEND": redis, "LOCATION": "redis://127.0.0.1:1"}}
    bulk = start(cast, item, line_for(cast.installer, 3))
    work_on(bulk.pk)
    bulk.refresh_from_db()
    bulk = go(cast, bulk)
    if not at_once:
        assert bulk_jobs.progress_of(bulk) == 0
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert bulk.state == BulkState.DONE
    assert ("Redis fails" in caplog.text) == (not at_once)
