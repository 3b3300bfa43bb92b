"""L2, L3: request files in the same moment: twice the same one, and two that want the last copies."""

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError

from entitlements.activation.offline.services import carry_out_request
from entitlements.models import License, LineItem, Movement
from tests.concurrency.test_split_race import assert_conserved, at_once
from tests.entitlements.activation.test_offline import asked
from tests.factories import make_cast, make_chain, split_item

pytestmark = pytest.mark.django_db(transaction=True)


def two_items() -> tuple[LineItem, LineItem]:
    """5 and 3 copies of an end customer's."""
    cast = make_cast()
    chain = make_chain(cast)
    return chain.served, split_item(cast.installer, chain.installed, cast.customer, copies=3)


def test_the_same_request_at_once_gives_the_same_licenses() -> None:
    """L2: a client that asks again before it was answered."""
    first, second = two_items()
    request = asked((first, 2), (second, 3))
    results = at_once(*[lambda: carry_out_request(actor=None, request=request)] * 4)

    given = {tuple(answer.license.pk for answer in answers) for answers in results}
    assert len(given) == 1, results
    assert License.objects.count() == 2
    assert Movement.objects.filter(kind="activate").count() == 2
    for item in (first, second):
        assert_conserved(item)


def test_whatever_order_the_ids_stand_in() -> None:
    """Nobody waits for another for ever, and each is done whole or not at all."""
    first, second = two_items()
    requests = [
        asked((first, 1), (second, 1)),
        asked((second, 0), (first, 2)),
        asked((second, 2), (first, 0)),
    ]
    results = at_once(*[lambda one=one: carry_out_request(actor=None, request=one) for one in requests * 2])

    assert all(isinstance(result, list | ValidationError) for result in results), results
    for item in (first, second):
        assert_conserved(item)


def test_the_last_copies_go_to_one_device() -> None:
    """L2: two devices want all; the other gets a sentence and nothing."""
    first, second = two_items()
    wanted = asked((second, 1), (first, 5))
    other = replace(wanted, host_id="00:03:C5:00:00:01")
    results = at_once(
        *[lambda one=one: carry_out_request(actor=None, request=one) for one in (wanted, other)]
    )

    assert sorted(type(result).__name__ for result in results) == ["ValidationError", "list"]
    second.refresh_from_db()
    assert second.activated == 1
    for item in (first, second):
        assert_conserved(item)
