"""E4, E7: two bulk splits over the same items in the same moment, on committed data and real connections."""

import threading
from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from accounts.models import Account
from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.bulk.services import split as service
from entitlements.bulk.services.lines import BulkLine, LinesRefused
from entitlements.bulk.services.requests import carry_out, start_bulk_split
from entitlements.models import BulkSplit, BulkState, Entitlement, LineItem, Origin
from mxportal.shared.forms import new_key
from tests.concurrency.test_split_race import SECONDS, assert_conserved, at_once
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.factories import Cast, issue_item, make_cast, split_item

pytestmark = pytest.mark.django_db(transaction=True)


def meeting_after_the_check(monkeypatch: pytest.MonkeyPatch, parties: int) -> None:
    """Each waits, having checked its lines and before it writes, until the other has come as far, or for a moment."""
    check, together = service.check_lines, threading.Barrier(parties)

    def check_and_wait(**asked: Any) -> Any:
        checked = check(**asked)
        with suppress(threading.BrokenBarrierError):
            together.wait(1)
        return checked

    monkeypatch.setattr(service, "check_lines", check_and_wait)


def two_of_all(cast: Cast, items: list[LineItem]) -> list[Any]:
    """Two people each split everything of both items, and name them in opposite orders."""
    lines = [line_for(cast.installer, 10, activation_id=item.activation_id) for item in items]
    return at_once(
        lambda: split_bulk(cast.distributor, items, lines),
        lambda: split_bulk(cast.distributor, items[::-1], lines[::-1]),
    )


def assert_one_got_them(items: list[LineItem], results: list[Any]) -> None:
    assert sum(isinstance(result, BulkSplit) for result in results) == 1, results
    assert sum(isinstance(result, LinesRefused) for result in results) == 1, results
    for item in items:
        assert_conserved(item)
        assert item.available == 0


@pytest.mark.slow
def test_two_bulk_splits_over_the_same_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """E4, E7: one gets everything, the other a sentence at each line; nobody waits for the other for ever."""
    cast = make_cast()
    items = [issue_item(cast, quantity=10), issue_item(cast, quantity=10)]
    meeting_after_the_check(monkeypatch, 2)
    assert_one_got_them(items, two_of_all(cast, items))


@pytest.mark.slow
def test_without_the_lock_it_would_go_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """E7: the counter-proof; the database's constraints still hold then, with an error instead of a sentence."""
    cast = make_cast()
    items = [issue_item(cast, quantity=10), issue_item(cast, quantity=10)]
    meeting_after_the_check(monkeypatch, 2)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transaction_mode", "DEFERRED")
    results = two_of_all(cast, items)

    with pytest.raises(AssertionError):
        assert_one_got_them(items, results)
    assert any(isinstance(result, DatabaseError) for result in results), results


def test_the_same_key_at_once_splits_once() -> None:
    """E7: both get the same answer."""
    cast = make_cast()
    item = issue_item(cast, quantity=10)
    key, lines = new_key(), [line_for(cast.installer, 10)]
    first, second = at_once(*[lambda: split_bulk(cast.distributor, [item], lines, key=key)] * 2)

    assert first == second
    assert item.splits.count() == 1


def test_bulk_and_single_split_at_once() -> None:
    """E4: one of the two gets the copies."""
    cast = make_cast()
    item = issue_item(cast, quantity=10)
    results = at_once(
        lambda: split_bulk(cast.distributor, [item], [line_for(cast.installer, 10)]),
        lambda: split_item(cast.distributor, item, cast.installer.account, copies=10),
    )
    assert sum(isinstance(result, ValidationError) for result in results) == 1, results
    assert_conserved(item)


def test_the_same_orders_from_different_items_at_once() -> None:
    """E7: an order is one entitlement; the two take its index in the same order, whatever that of their lines."""
    cast = make_cast()
    items = [issue_item(cast), issue_item(cast)]
    orders = [line_for(cast.installer, 1, order_number=f"PO {number}") for number in range(20)]
    results = at_once(
        lambda: split_bulk(cast.distributor, items[:1], orders),
        lambda: split_bulk(cast.distributor, items[1:], orders[::-1]),
    )
    assert all(isinstance(result, BulkSplit) for result in results), results
    assert Entitlement.objects.filter(order_number__startswith="PO").count() == 20


def test_the_same_new_customer_at_once() -> None:
    """A3: one makes the account; to the other it is known then, and its contact, too."""
    cast = make_cast()
    items = [issue_item(cast), issue_item(cast)]
    line = BulkLine(
        account_id="MUSEUM-1",
        email="clara@museum.example",
        amount="1",
        account_name="Museum",
        country="DE",
        first_name="Clara",
        last_name="Weiß",
    )
    results = at_once(
        *[
            lambda item=item: split_bulk(cast.distributor, [item], [line], create_customers=True)
            for item in items
        ]
    )
    assert all(isinstance(result, BulkSplit) for result in results), results
    assert Account.objects.filter(name="Museum").count() == 1


def test_the_same_id_for_customers_of_two_sellers_at_once() -> None:
    """A3: the index decides; the other account gets a free ID, and its seller learns nothing of the first."""
    cast = make_cast()
    sellers = (cast.distributor, cast.other_distributor)
    sources = {seller.pk: issue_item(cast, seller.account) for seller in sellers}
    line = BulkLine(
        account_id="MUSEUM-1",
        email="clara@museum.example",
        amount="1",
        account_name="Museum",
        country="DE",
        first_name="Clara",
        last_name="Weiß",
    )
    results = at_once(
        *[
            lambda seller=seller: split_bulk(seller, [sources[seller.pk]], [line], create_customers=True)
            for seller in sellers
        ]
    )
    assert all(isinstance(result, BulkSplit) for result in results), results
    assert Account.objects.filter(name="Museum").count() == 2
    assert Account.objects.filter(account_id="MUSEUM-1").count() == 1


@pytest.mark.postgres
def test_a_worker_that_dies_leaves_the_job_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is the job: while one is at it the next leaves it alone; what a dead one did is gone, and done anew once.

    Its connection ends as a killed process's does.
    """
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)
    cast = make_cast()
    item = issue_item(cast, quantity=10)
    bulk = start_bulk_split(
        actor=cast.distributor,
        item_ids=[item.pk],
        lines=[line_for(cast.installer, 10)],
        key=new_key(),
        origin=Origin.TABLE,
    )
    bulk_jobs.work_on(bulk.pk)
    seen = BulkSplit.objects.get(pk=bulk.pk).version
    carry_out(actor=cast.distributor, bulk_id=bulk.pk, seen=seen, key=new_key(), send_mail=True)
    written, died = threading.Event(), threading.Event()
    write = bulk_jobs.split_all

    def write_and_die(*asked: Any, **options: Any) -> None:
        write(*asked, **options)
        written.set()
        assert died.wait(SECONDS)
        connection.connection.close()
        raise SystemExit

    def first() -> None:
        with suppress(SystemExit, DatabaseError):
            bulk_jobs.work_on(bulk.pk)

    def second() -> None:
        assert written.wait(SECONDS)
        monkeypatch.setattr(bulk_jobs, "split_all", write)
        bulk_jobs.work_on(bulk.pk)  # somebody is at it: nothing happens
        assert not item.splits.exists()
        died.set()

    monkeypatch.setattr(bulk_jobs, "split_all", write_and_die)
    assert at_once(first, second) == [None, None]
    assert not item.splits.exists()
    bulk_jobs.work_on(bulk.pk)
    bulk_jobs.work_on(bulk.pk)
    bulk.refresh_from_db()
    assert bulk.state == BulkState.DONE
    assert item.splits.count() == 1
    assert_conserved(item)
