"""E4, E7: two people at the same item in the same moment, on committed data and real connections."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, close_old_connections, connection, connections
from django.db.models import QuerySet, Sum
from django.test import Client
from django.urls import reverse

from entitlements.ledger.verification import differences
from entitlements.models import LineItem
from entitlements.splits.services import split as split_service
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.factories import Cast, issue_item, make_cast, split_item

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4
SECONDS = 30


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs in threads that start together; returns what each gave or raised."""
    gate, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(number: int, job: Callable[[], Any]) -> None:
        try:
            gate.wait(SECONDS)
            results[number] = job()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    close_old_connections()
    return results


def meeting_after_the_read(monkeypatch: pytest.MonkeyPatch, parties: int) -> None:
    """Each split waits, having read what is available and before it writes, until the others have come as far.

    A lock keeps the others out: then nobody comes, and the one inside goes on after a moment.
    """
    check, together = split_service.check_copies, threading.Barrier(parties)

    def check_and_wait(copies: int, available: int) -> None:
        check(copies, available)
        try:
            together.wait(1)
        except threading.BrokenBarrierError:
            return

    monkeypatch.setattr(split_service, "check_copies", check_and_wait)


def splits_of_all(cast: Cast, item: LineItem) -> list[Callable[[], Any]]:
    """Several people each split everything there is."""
    target = cast.installer.account
    return [lambda: split_item(cast.distributor, item, target, copies=10) for _ in range(AT_ONCE)]


def assert_one_got_them(item: LineItem, results: list[Any]) -> None:
    """One has the copies; the others read at the amount that there are none; every balance is what the ledger says."""
    won = [result for result in results if isinstance(result, LineItem)]
    refused = [result for result in results if isinstance(result, ValidationError)]
    assert len(won) == 1, results
    assert len(refused) == len(results) - 1, results
    assert all(list(error.error_dict) == ["copies"] for error in refused)
    assert_conserved(item)


def assert_conserved(item: LineItem) -> None:
    """E4, by the sum of the splits and by the movements."""
    item.refresh_from_db()
    assert item.quantity == item.available + item.split + item.activated
    assert item.split == (item.splits.aggregate(copies=Sum("quantity"))["copies"] or 0)
    assert not list(differences())


@pytest.mark.slow
def test_never_a_copy_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """E4, E7: all of them want all copies in the same moment; one gets them, the others get a sentence."""
    cast = make_cast()
    item = issue_item(cast, quantity=10)
    meeting_after_the_read(monkeypatch, AT_ONCE)

    assert_one_got_them(item, at_once(*splits_of_all(cast, item)))


@pytest.mark.slow
def test_many_small_splits_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """E4: 12 splits of 1 from 8 copies: 8 succeed."""
    cast = make_cast()
    item = issue_item(cast, quantity=8)
    jobs = [lambda: split_item(cast.distributor, item, cast.installer.account, copies=1) for _ in range(12)]
    results = at_once(*jobs)

    assert sum(isinstance(result, LineItem) for result in results) == 8, results
    assert_conserved(item)
    assert item.available == 0


def test_without_the_lock_it_would_go_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """E7: the counter-proof. Without the lock the same race breaks the assertion of the first test.

    On PostgreSQL the lock is ``select_for_update``, on SQLite the transaction mode. The database's own constraints
    still hold then: nothing is split twice, but people get errors instead of a sentence.
    """
    cast = make_cast()
    item = issue_item(cast, quantity=10)
    meeting_after_the_read(monkeypatch, AT_ONCE)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transaction_mode", "DEFERRED")
    results = at_once(*splits_of_all(cast, item))

    with pytest.raises(AssertionError):
        assert_one_got_them(item, results)
    assert any(isinstance(result, DatabaseError) for result in results), results
    assert_conserved(item)


def test_a_double_click_on_complete_splits_once() -> None:
    """E7: the same form sent twice at once: one split, and both are led to the same result."""
    cast = make_cast()
    item = issue_item(cast, quantity=10)
    data = {
        "step": "complete",
        "key": new_key(),
        "target": cast.installer.account_id,
        "contact": cast.installer.pk,
        "copies": "10",
        "send_mail": "on",
    }
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(cast.distributor)
    address = reverse("line_item_split", args=[item.pk])
    answers = at_once(*[lambda client=client: client.post(address, data) for client in clients])

    new = LineItem.objects.get(parent=item)
    assert {answer["Location"] for answer in answers} == {reverse("line_item_split_done", args=[new.pk])}
    assert new.mails.count() == 1
    assert_conserved(item)


def test_split_and_undo_at_once() -> None:
    """E4, E8: the buyer splits on what its seller takes back in the same moment: one of the two wins."""
    cast = make_cast()
    item = issue_item(cast, quantity=10)
    bought = split_item(cast.distributor, item, cast.installer.account, copies=10)
    results = at_once(
        lambda: split_item(cast.installer, bought, cast.customer, copies=10),
        lambda: undo_split(actor=cast.distributor, item_id=bought.pk, copies=10, key=new_key()),
    )

    assert sum(isinstance(result, LineItem) for result in results) == 1, results
    assert sum(isinstance(result, ValidationError) for result in results) == 1, results
    assert_conserved(item)
    assert_conserved(bought)
