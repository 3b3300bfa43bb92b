"""A7, E5: a move and a replacement in the same moment as other changes."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, SellingRelation
from accounts.services.accounts import update_account
from entitlements.models import LineItem
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.orders.services.transfer import transfer_account
from mxportal.shared.forms import new_key
from tests.concurrency.test_split_race import at_once
from tests.factories import Cast, make_cast, make_chain, split_item

pytestmark = pytest.mark.django_db(transaction=True)


def move(cast: Cast, seller: Account, **changes: Any) -> Account:
    known = {"key": new_key(), "reason": "Race"} | changes
    return transfer_account(
        actor=cast.mobotix,
        account_id=cast.customer.pk,
        former_id=cast.installer.account_id,
        seller_id=seller.pk,
        **known,
    )


def test_two_moves_at_once() -> None:
    """A7: one moves the account, the others read that the seller is another one by now."""
    cast = make_cast()
    chain = make_chain(cast)
    sellers = (cast.other_installer.account, cast.sibling_installer.account)
    results = at_once(*[lambda seller=seller: move(cast, seller) for seller in sellers * 2])

    assert sum(isinstance(result, Account) for result in results) == 1, results
    assert sum(isinstance(result, ValidationError) for result in results) == 3, results
    (relation,) = SellingRelation.objects.accepted().filter(buyer=cast.customer)
    chain.served.refresh_from_db()
    assert chain.served.serving_account_id == relation.seller_id


def test_the_same_move_at_once_is_done_once() -> None:
    """E7."""
    cast = make_cast()
    key = new_key()
    results = at_once(*[lambda: move(cast, cast.other_installer.account, key=key)] * 4)
    assert all(result == cast.customer for result in results), results


def test_splits_during_a_move_are_looked_after_by_somebody() -> None:
    """A7: what the former seller split in that moment moves too, or is refused; no item stays behind with it."""
    cast = make_cast()
    chain = make_chain(cast)
    jobs: list[Any] = [
        lambda: split_item(cast.installer, chain.installed, cast.customer, copies=1) for _ in range(6)
    ]
    jobs.insert(3, lambda: move(cast, cast.other_installer.account))
    jobs.append(lambda: update_account(actor=cast.mobotix, account_id=cast.customer.pk, name="City Clinic"))
    results = at_once(*jobs)

    assert all(isinstance(result, LineItem | Account | ValidationError) for result in results), results
    serving = LineItem.objects.filter(owner=cast.customer).values_list("serving_account", flat=True)
    assert set(serving) == {cast.other_installer.account_id}


def test_replacements_at_once() -> None:
    """E7: with one key one new ID; with several each takes the place of the one before."""
    cast = make_cast()
    item = make_chain(cast).served
    key = new_key()

    def replace(key: str) -> str:
        done = replace_activation_id(actor=cast.installer, item_id=item.pk, key=key, reason="Race")
        return done.activation_id

    assert len(set(at_once(*[lambda: replace(key)] * 3))) == 1
    ids = at_once(*[lambda: replace(new_key())] * 3)
    assert len(set(ids)) == 3, ids
    item.refresh_from_db()
    assert item.activation_id in ids
