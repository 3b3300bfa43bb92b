"""L4: returns below one item at the same time never exceed what it allows a year."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from accounts.models import Tier, User
from entitlements.activation.services.activate import return_as_bearer
from entitlements.activation.services.returns import return_copies
from entitlements.models import Activation, CountedReturn
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import host, put_on
from tests.factories import issue_item, make_account, make_cast, make_contact, split_item
from tests.guards.races import Race, inside, refused, turns_out_right

pytestmark = pytest.mark.django_db(transaction=True)
TWINS = 8


@pytest.mark.slow
def test_many_returns_below_one_item() -> None:
    """L4: eight customers' cameras break at once; five copies come back, by login and by the Activation ID alike."""
    cast = make_cast()
    issued = issue_item(cast, quantity=100)  # 5 a year
    licenses = []
    for number in range(TWINS):
        source = split_item(cast.distributor, issued, cast.installer.account, copies=2)
        customer = make_account(Tier.END_CUSTOMER, f"Customer {number}", sellers=(cast.installer.account,))
        make_contact(customer)
        item = split_item(cast.installer, source, customer, copies=2)
        licenses.append(put_on(cast, item, copies=1))
    ways = [(license, cast.installer if number % 2 else None) for number, license in enumerate(licenses)]
    with ThreadPoolExecutor(TWINS) as pool:
        done = sum(pool.map(lambda way: _gives_back(*way), ways))
    assert done == 5
    assert CountedReturn.objects.filter(item=issued).count() == 5
    assert Activation.objects.held().count() == TWINS - 5


def _gives_back(license: object, actor: User | None) -> bool:
    activation = license.activation  # type: ignore[attr-defined]
    try:
        if actor:
            return_copies(actor=actor, activation_id=activation.pk, copies=None, key=new_key())
        else:
            return_as_bearer(activation_id=activation.item.activation_id, host=host())
    except ValidationError:
        return False
    finally:
        connections.close_all()
    return True


@pytest.mark.postgres
def test_the_second_return_waits_for_the_first() -> None:
    """L4: two items below one that allows two; who comes second reads what the first one took."""
    cast = make_cast()
    source = split_item(cast.distributor, issue_item(cast), cast.installer.account, copies=10)
    items = [split_item(cast.installer, source, cast.customer, copies=5) for _ in range(2)]
    first, second = (put_on(cast, item, copies=2) for item in items)
    back = {"actor": cast.installer, "copies": 2}
    race = Race(
        other=lambda: inside(return_copies)(key=new_key(), activation_id=first.activation_id, **back),
        ours=lambda: return_copies(key=new_key(), activation_id=second.activation_id, **back),
        right=refused("copies"),
    )
    assert turns_out_right(race)
