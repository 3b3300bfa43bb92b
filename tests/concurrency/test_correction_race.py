"""E4, E15: corrections in the same moment as other corrections, splits and undos."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from entitlements.models import LineItem
from entitlements.orders.services.corrections import Correction, change_quantity
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.concurrency.test_split_race import assert_conserved, at_once
from tests.factories import Cast, Chain, make_cast, make_chain, split_item

pytestmark = pytest.mark.django_db(transaction=True)


def correct(cast: Cast, item: LineItem, copies: int, **changes: Any) -> LineItem:
    known = {"correction": Correction.LOWER, "key": new_key(), "reason": "Race"} | changes
    return change_quantity(actor=cast.mobotix, item_id=item.pk, copies=copies, **known)


def assert_all_conserved(chain: Chain) -> None:
    for item in (chain.issued, chain.installed, chain.served):
        assert_conserved(item)


def test_two_corrections_never_take_a_copy_twice() -> None:
    """E15: both want all that is available; one gets a sentence at the amount."""
    cast = make_cast()
    chain = make_chain(cast)
    results = at_once(*[lambda: correct(cast, chain.served, 5) for _ in range(4)])

    refused = [result for result in results if isinstance(result, ValidationError)]
    assert len(refused) == 3, results
    assert all("copies" in error.error_dict for error in refused)
    assert_all_conserved(chain)
    assert chain.issued.quantity == 95


def test_the_same_request_at_once_is_done_once() -> None:
    """E7: a double click."""
    cast = make_cast()
    chain = make_chain(cast)
    key = new_key()
    results = at_once(*[lambda: correct(cast, chain.served, 2, key=key) for _ in range(4)])

    assert all(isinstance(result, LineItem) for result in results), results
    assert_all_conserved(chain)
    assert chain.served.quantity == 3


@pytest.mark.slow
def test_corrections_splits_and_undos_at_once() -> None:
    """E4: whoever comes first, every balance is what the movements say, and nobody waits for another for ever."""
    cast = make_cast()
    chain = make_chain(cast)
    jobs = [
        lambda: correct(cast, chain.served, 1),
        lambda: correct(cast, chain.issued, 3, correction=Correction.RAISE),
        lambda: correct(cast, chain.installed, 0, correction=Correction.REVOKE_ALL),
        lambda: split_item(cast.installer, chain.installed, cast.customer, copies=4),
        lambda: undo_split(actor=cast.installer, item_id=chain.served.pk, copies=2, key=new_key()),
        lambda: undo_split(actor=cast.distributor, item_id=chain.installed.pk, copies=2, key=new_key()),
        lambda: correct(cast, chain.issued, 0, correction=Correction.REVOKE_ALL),
    ]
    results = at_once(*jobs, *jobs)

    assert all(isinstance(result, LineItem | ValidationError) for result in results), results
    assert_all_conserved(chain)
