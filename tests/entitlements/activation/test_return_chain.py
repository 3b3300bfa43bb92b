"""The year's limit applies at every level above an item, so that no way of splitting makes many licenses of one copy
(L4).
"""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Tier, User
from entitlements.activation.offline.request_files import ActivationRequest, Wanted
from entitlements.activation.offline.services import carry_out_request, plan_request
from entitlements.activation.services.activate import (
    activate,
    activate_as_bearer,
    activate_many,
    return_as_bearer,
)
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.rehosting import rehost, replace_device
from entitlements.activation.services.return_limits import ReturnLimits, chains_of
from entitlements.activation.services.returns import return_copies
from entitlements.bulk.services.requests import undo_bulk_split
from entitlements.identifiers.host_ids import HostIdType
from entitlements.models import Activation, CountedReturn, License, LineItem, Movement
from entitlements.orders.services.corrections import Correction, change_quantity
from entitlements.orders.services.transfer import transfer_account
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.entitlements.api.client import Program, program_of
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.entitlements.pages import client_of, errors_of, html_of
from tests.factories import Cast, Chain, issue_item, make_account, make_contact, make_user, split_item

pytestmark = pytest.mark.django_db
ROUNDS = 6
MOST_LICENSES = 3  # one copy on a first device, and twice on another one


def camera(number: int) -> HostId:
    return HostId(typed=f"CAM-{number:03}", kind=HostIdType.SERIAL)


def new_customer(seller: User, number: int) -> Account:
    """A new customer, which a seller can create at any time."""
    customer = make_account(Tier.END_CUSTOMER, f"Customer {number} of {seller}", sellers=(seller.account,))
    make_contact(customer)
    return customer


def put_on(actor: User, item: LineItem, number: int, copies: int = 1) -> License:
    return activate(actor=actor, item_id=item.pk, host=camera(number), copies=copies, key=new_key())


def give_back(actor: User, license: License) -> None:
    return_copies(actor=actor, activation_id=license.activation_id, copies=None, key=new_key())


def take_back(actor: User, item: LineItem, copies: int = 1) -> None:
    undo_split(actor=actor, item_id=item.pk, copies=copies, key=new_key())


# --- Attacks: each round ends with the copy where it came from --------------------------------------------------------


def undo_and_split_again(cast: Cast, copy: LineItem, number: int) -> None:
    item = split_item(cast.installer, copy, cast.customer, copies=1)
    give_back(cast.installer, put_on(cast.installer, item, number))
    take_back(cast.installer, item)


def a_new_customer_each_time(cast: Cast, copy: LineItem, number: int) -> None:
    item = split_item(cast.installer, copy, new_customer(cast.installer, number), copies=1)
    give_back(cast.installer, put_on(cast.installer, item, number))
    take_back(cast.installer, item)


def handed_back_by_the_buyer(cast: Cast, copy: LineItem, number: int) -> None:
    """Hand the distributor's copy back through a new partner each time."""
    source = LineItem.objects.get(pk=copy.parent_id)
    partner = make_account(Tier.INSTALLER, f"Partner {number}", sellers=(cast.distributor.account,))
    admin = make_user(partner)
    bought = split_item(cast.distributor, source, partner, copies=1)
    sold = split_item(admin, bought, new_customer(admin, number), copies=1)
    give_back(admin, put_on(admin, sold, number))
    take_back(admin, sold)
    take_back(admin, bought)


def a_bulk_split(cast: Cast, copy: LineItem, number: int) -> None:
    contact = new_customer(cast.installer, number).users.get()
    bulk = split_bulk(cast.installer, [copy], [line_for(contact)])
    give_back(cast.installer, put_on(cast.installer, bulk.items.get(), number))
    undo_bulk_split(actor=cast.installer, bulk_id=bulk.pk, key=new_key())


def by_the_bearer(cast: Cast, copy: LineItem, number: int) -> None:
    item = split_item(cast.installer, copy, cast.customer, copies=1)
    activate_as_bearer(activation_id=item.activation_id, host=camera(number), copies=1)
    return_as_bearer(activation_id=item.activation_id, host=camera(number))
    take_back(cast.installer, item)


def offline(cast: Cast, copy: LineItem, number: int) -> None:
    item = split_item(cast.installer, copy, cast.customer, copies=1)
    for copies in (1, 0):
        wanted = (Wanted(item.activation_id, copies),)
        request = ActivationRequest(
            host_id=camera(number).normal, host_id_type=HostIdType.SERIAL, wanted=wanted
        )
        carry_out_request(actor=None, request=request)
    take_back(cast.installer, item)


def by_the_api(cast: Cast, copy: LineItem, number: int) -> None:
    program, contact = program_of(cast.installer), new_customer(cast.installer, number).users.get()
    buyer = {"account_id": contact.account.account_id, "contact_email": contact.email}
    item = program.post(f"/items/{copy.pk}/splits", buyer | {"copies": 1}).json()
    device = {"activation_id": item["activation_id"], "host_id": f"CAM-{number:03}"}
    assert Program().post("/activations", device).status_code == 201
    answer = Program().post("/returns", device)
    if answer.status_code == 422:
        raise ValidationError(answer.json()["errors"])
    assert program.post(f"/items/{item['id']}/undo", {"copies": 1}).status_code == 200


def rehosted(cast: Cast, copy: LineItem, number: int) -> None:
    """Rehost to a device of the next round, from the device that has the copy."""
    held = Activation.objects.filter(item=copy, copies=1).first()
    if held is None:
        put_on(cast.installer, copy, number)
    else:
        rehost(actor=cast.installer, activation_id=held.pk, host=camera(number), copies=1, key=new_key())


def with_another_device(cast: Cast, copy: LineItem, number: int) -> None:
    held = Activation.objects.filter(item=copy, copies=1).first()
    if held is None:
        put_on(cast.installer, copy, number)
    else:
        replace_device(actor=cast.installer, device_id=held.device_id, host=camera(number), key=new_key())


def replaced_and_sold_again(cast: Cast, copy: LineItem, number: int) -> None:
    """Replace a customer's device, then hand the copy back and sell it to the next customer."""
    item = split_item(cast.installer, copy, new_customer(cast.installer, number), copies=1)
    first = put_on(cast.installer, item, 100 + number)
    replace_device(
        actor=cast.installer, device_id=first.activation.device_id, host=camera(number), key=new_key()
    )
    give_back(cast.installer, License.objects.get(activation__item=item, ended_at=None))
    take_back(cast.installer, item)


def repeat(attack: Callable[[Cast, LineItem, int], None], cast: Cast, copy: LineItem) -> None:
    for number in range(ROUNDS):
        attack(cast, copy, number)


ATTACKS: list[Callable[[Cast, LineItem, int], None]] = [
    undo_and_split_again,
    a_new_customer_each_time,
    handed_back_by_the_buyer,
    a_bulk_split,
    by_the_bearer,
    offline,
    by_the_api,
    rehosted,
    with_another_device,
    replaced_and_sold_again,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_one_copy_is_never_many_licenses(cast: Cast, attack: Callable[[Cast, LineItem, int], None]) -> None:
    """L4: before the fix one copy gave 16 files on 16 devices."""
    issued = issue_item(cast, quantity=1)
    copy = split_item(cast.distributor, issued, cast.installer.account, copies=1)
    if attack is handed_back_by_the_buyer:
        take_back(cast.installer, copy)
    with pytest.raises(ValidationError, match="can(not)? be returned"):
        repeat(attack, cast, copy)
    assert License.objects.count() == MOST_LICENSES


def test_fewer_copies_than_before_are_a_return(cast: Cast, chain: Chain) -> None:
    """L2, L4: also for many devices at once, and for the bearer."""
    item = chain.served
    put_on(cast.installer, item, 0, copies=5)
    activate_as_bearer(activation_id=item.activation_id, host=camera(0), copies=4)
    activate_many(
        actor=cast.installer, item_id=item.pk, lines=[(camera(0), 3), (camera(1), 1)], key=new_key()
    )
    with pytest.raises(ValidationError):
        activate_as_bearer(activation_id=item.activation_id, host=camera(0), copies=2)
    with pytest.raises(ValidationError):
        activate_many(actor=cast.installer, item_id=item.pk, lines=[(camera(0), 2)], key=new_key())
    levels = CountedReturn.objects.values_list("item", "copies").order_by("pk")
    chain_ids = [item.pk, chain.installed.pk, chain.issued.pk]
    assert list(levels) == [(pk, 1) for _ in range(2) for pk in chain_ids]


# --- Quantities -------------------------------------------------------------------------------------------------------


def left(item: LineItem, actor: User | None = None) -> int:
    return ReturnLimits(actor, chains_of([item])).left(item)


def test_each_level_counts_what_is_below_it(cast: Cast) -> None:
    """L4: a sibling's returns count for the common ancestor, and not for the sibling."""
    issued = issue_item(cast, quantity=100)  # 5 a year
    ours = split_item(cast.distributor, issued, cast.installer.account, copies=40)
    theirs = split_item(cast.distributor, issued, cast.sibling_installer.account, copies=60)  # 3 a year
    for number in range(2):
        give_back(cast.installer, put_on(cast.installer, ours, number))
    assert (left(issued), left(ours), left(theirs)) == (3, 0, 3)
    give_back(cast.sibling_installer, put_on(cast.sibling_installer, theirs, 0, copies=3))
    assert (left(issued), left(ours), left(theirs)) == (0, 0, 0)


@pytest.mark.slow
def test_a_large_part_for_a_while_is_bounded_by_what_it_came_from(cast: Cast) -> None:
    """L4: splitting all copies and handing them back raises only the new item's limit, and not the issued item's."""
    issued = issue_item(cast, quantity=60)  # 3 a year
    for number in range(3):
        partner = make_account(Tier.INSTALLER, f"Partner {number}", sellers=(cast.distributor.account,))
        admin = make_user(partner)
        item = split_item(cast.distributor, issued, partner, copies=60)
        give_back(admin, put_on(admin, item, number))
        take_back(admin, item, 60)
    item = split_item(cast.distributor, issued, cast.installer.account, copies=60)
    assert left(item) == 0


def test_only_mobotix_raises_a_limit(cast: Cast) -> None:
    """E15, L4: today's quantity counts: more copies of an issued item raise its limit, fewer lower it."""
    issued = issue_item(cast, quantity=60)
    assert left(issued) == 3
    change: dict[str, Any] = {"actor": cast.mobotix, "item_id": issued.pk, "reason": "Typing error"}
    change_quantity(**change, correction=Correction.RAISE, copies=40, key=new_key())
    assert left(issued) == 5
    change_quantity(**change, correction=Correction.LOWER, copies=80, key=new_key())
    assert left(issued) == 2


def test_a_year_later(cast: Cast, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """L4: the year counts at every level."""
    give_back(cast.installer, put_on(cast.installer, chain.served, 0, copies=2))
    assert (left(chain.issued), left(chain.installed), left(chain.served)) == (3, 0, 0)
    later = timezone.now() + timedelta(days=366)
    monkeypatch.setattr("entitlements.activation.services.return_limits.timezone.now", lambda: later)
    assert (left(chain.issued), left(chain.installed), left(chain.served)) == (5, 2, 2)


def test_a_move_changes_no_count(cast: Cast, chain: Chain) -> None:
    """A7, L4: the transfer of an account changes neither the chain nor its returns."""
    give_back(cast.installer, put_on(cast.installer, chain.served, 0, copies=2))
    transfer_account(
        actor=cast.mobotix,
        account_id=cast.customer.pk,
        former_id=cast.installer.account_id,
        seller_id=cast.other_installer.account_id,
        key=new_key(),
        reason="Out of business",
    )
    license = put_on(cast.other_installer, chain.served, 0)
    with pytest.raises(ValidationError):
        give_back(cast.other_installer, license)


# --- What the reader is told ------------------------------------------------------------------------------------------


@pytest.fixture
def used_up(cast: Cast, chain: Chain) -> LineItem:
    """Another item of the installer has used up the year of their common ancestor."""
    other = split_item(cast.installer, chain.installed, cast.customer, copies=10)
    give_back(cast.installer, put_on(cast.installer, other, 0, copies=2))
    return chain.installed


def refusal(actor: User | None, item: LineItem, copies: int = 1) -> str:
    return ReturnLimits(actor, chains_of([item])).obstacle(item, copies)


@pytest.mark.slow
def test_the_page_names_the_level_that_the_reader_sees(cast: Cast, chain: Chain, used_up: LineItem) -> None:
    """E12, L4: the page names it by the last group of its ID before anything is typed; MOBOTIX can continue with a
    reason.
    """
    license = put_on(cast.installer, chain.served, 1)
    page = reverse("activation_return", args=[license.activation_id])
    sentence = f"2 copies of the line item …-{used_up.activation_id_tail}"
    html = html_of(client_of(cast.installer).get(page))
    assert sentence in html
    assert 'name="copies"' not in html
    answer = client_of(cast.installer).post(page, {"key": new_key(), "copies": "1"})
    assert sentence in errors_of(answer)["copies"][0]

    mobotix = client_of(cast.mobotix)
    assert sentence in html_of(mobotix.get(page))
    assert list(errors_of(mobotix.post(page, {"key": new_key(), "copies": "1"}))) == ["reason"]
    assert Activation.objects.get(pk=license.activation_id).copies == 1
    mobotix.post(page, {"key": new_key(), "copies": "1", "reason": "The camera fell down"})
    assert Activation.objects.get(pk=license.activation_id).copies == 0
    assert Movement.objects.latest("pk").reason == "The camera fell down"


def test_a_hidden_level_says_neither_how_much_nor_whose(cast: Cast) -> None:
    """E12, L4: with one copy left at a hidden level, two are refused without a number; with none left, the page shows
    none.
    """
    issued = issue_item(cast, quantity=100)  # 5 a year
    theirs = split_item(cast.distributor, issued, cast.sibling_installer.account, copies=40)
    ours = split_item(cast.distributor, issued, cast.installer.account, copies=60)  # 3 a year
    give_back(cast.sibling_installer, put_on(cast.sibling_installer, theirs, 0, copies=2))
    own = put_on(cast.distributor, issue_item(cast), 1)  # another order changes nothing
    give_back(cast.distributor, own)
    change_quantity(
        actor=cast.mobotix,
        item_id=theirs.pk,
        correction=Correction.LOWER,
        copies=20,
        key=new_key(),
        reason="Typing error",
    )  # the issued item has 80 now: 4 a year, 2 of them left
    limits = ReturnLimits(cast.installer, chains_of([ours]))
    assert (limits.left(ours), limits.shown_left(ours)) == (2, 3)
    for reader in (cast.installer, None):
        assert refusal(reader, ours, 2) == ""
        sentence = refusal(reader, ours, 3)
        assert "a line item further up has reached its limit" in sentence
        assert not any(character.isdigit() for character in sentence)
        for text in (issued.activation_id_tail, cast.distributor.account.name):
            assert text not in sentence
    give_back(cast.installer, put_on(cast.installer, ours, 0, copies=2))
    assert ReturnLimits(cast.installer, chains_of([ours])).shown_left(ours) == 0
    assert issued.activation_id_tail in refusal(cast.mobotix, ours)


def test_one_request_takes_what_is_left_but_once(cast: Cast, chain: Chain) -> None:
    """L3, L4: two items below one with a limit of two; the plan reports the problem at the item."""
    other = split_item(cast.installer, chain.installed, cast.customer, copies=5)
    for item in (chain.served, other):
        put_on(cast.installer, item, 0, copies=2)
    wanted = tuple(Wanted(item.activation_id, 0) for item in (chain.served, other))
    request = ActivationRequest(host_id="CAM-000", host_id_type=HostIdType.SERIAL, wanted=wanted)
    for actor in (cast.installer, None):
        assert [bool(step.problem) for step in plan_request(actor=actor, request=request)] == [False, True]
    with pytest.raises(ValidationError):
        carry_out_request(actor=cast.installer, request=request)
    assert not CountedReturn.objects.exists()
    device = Activation.objects.held().first()
    assert device is not None
    page = html_of(client_of(cast.installer).get(reverse("device_replace", args=[device.device_id])))
    assert (page.count("Is rehosted to the other device."), page.count("Cannot be rehosted.")) == (1, 1)
    carry_out_request(actor=cast.mobotix, request=request, reason="Both cameras are broken")
    assert left(chain.installed) == 0


def test_copies_that_changed_since_they_were_looked_at(
    cast: Cast, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4: a change that turns out to be a return under the lock is refused, because nothing above is locked."""
    put_on(cast.installer, chain.served, 0, copies=2)
    monkeypatch.setattr(
        "entitlements.activation.services.activate.reduces_copies", lambda items, lines: False
    )
    with pytest.raises(ValidationError, match="have just been changed"):
        put_on(cast.installer, chain.served, 0, copies=1)


def test_queries_do_not_grow_with_what_is_below(
    cast: Cast, chain: Chain, django_assert_max_num_queries: Any
) -> None:
    """L4: one return below an item takes as many queries as many."""
    items = [split_item(cast.installer, chain.installed, cast.customer, copies=1) for _ in range(5)]
    licenses = [put_on(cast.installer, item, number) for number, item in enumerate(items)]
    counts = []
    for license in licenses[:2]:
        with django_assert_max_num_queries(40) as asked:
            give_back(cast.installer, license)
        counts.append(len(asked.captured_queries))
    assert counts[0] == counts[1], list(itertools.islice(asked.captured_queries, 40))
