"""Rehosting of copies from one device to another, and the bearer's return (L4, L2)."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Tier
from entitlements.activation.services.activate import activate, return_as_bearer
from entitlements.activation.services.rehosting import plan_replacement, rehost, replace_device
from entitlements.activation.services.returns import return_copies
from entitlements.models import Activation, Device, License, LineItem, Movement, State
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import MAC, balances, host, put_on
from tests.factories import (
    Cast,
    Chain,
    issue_item,
    make_account,
    make_relation,
    split_item,
)

pytestmark = pytest.mark.django_db
OTHER = "00:03:C5:00:00:02"


def held(item: LineItem) -> dict[str, int]:
    return dict(Activation.objects.filter(item=item).values_list("device__host_id", "copies"))


def rehost_license(cast: Cast, license: License, copies: int = 1, to: str = OTHER, key: str = "") -> License:
    return rehost(
        actor=cast.installer,
        activation_id=license.activation_id,
        host=host(to),
        copies=copies,
        key=key or new_key(),
    )


def inactive(cast: Cast, item: LineItem) -> None:
    change_state(actor=cast.mobotix, item_id=item.pk, state=State.INACTIVE, reason="Check", key=new_key())


def test_rehost_in_one_step(cast: Cast, chain: Chain) -> None:
    """L4: a return and an activation; the first device keeps the rest, the other one adds the copies to its own."""
    first = put_on(cast, chain.served, 2)
    put_on(cast, chain.served, 1, OTHER)
    license = rehost_license(cast, first)
    assert held(chain.served) == {MAC: 1, OTHER: 2}
    assert license.copies == 2
    assert balances(chain.served) == (5, 2, 3)
    assert list(Movement.objects.order_by("pk").values_list("kind", flat=True))[-2:] == ["return", "activate"]
    first.refresh_from_db()
    assert first.ended_at is not None


def test_rehost_to_the_limit(cast: Cast, chain: Chain) -> None:
    """L4: rehosting counts as a return, two a year for this item; only MOBOTIX can exceed it, with a reason."""
    license = put_on(cast, chain.served, 3)
    rehost_license(cast, license)
    rehost_license(cast, license)
    with pytest.raises(ValidationError) as refusal:
        rehost_license(cast, license)
    assert list(refusal.value.error_dict) == ["copies"]
    assert held(chain.served) == {MAC: 1, OTHER: 2}

    by_mobotix = {"activation_id": license.activation_id, "host": host(OTHER), "copies": 1}
    rehost(actor=cast.mobotix, **by_mobotix, reason="The camera burnt.", key=new_key())
    assert held(chain.served) == {MAC: 0, OTHER: 3}
    assert set(
        Movement.objects.filter(actor=cast.mobotix, item=chain.served).values_list("reason", flat=True)
    ) == {"The camera burnt."}


def test_rehost_to_the_same_device(cast: Cast, chain: Chain) -> None:
    """L4: it is refused, however the host ID is typed."""
    license = put_on(cast, chain.served)
    with pytest.raises(ValidationError) as refusal:
        rehost_license(cast, license, to=MAC.lower().replace(":", "-"))
    assert list(refusal.value.error_dict) == ["host_id"]


def test_rehost_only_what_can_be_activated(cast: Cast, chain: Chain) -> None:
    """E3: an inactive item can be returned, but not rehosted; nothing changes."""
    license = put_on(cast, chain.served)
    inactive(cast, chain.served)
    with pytest.raises(ValidationError) as refusal:
        rehost_license(cast, license)
    assert list(refusal.value.error_dict) == ["item"]
    assert held(chain.served) == {MAC: 2}


@pytest.mark.parametrize(("state", "valid"), [(State.INACTIVE, 1), (State.OBSOLETE, 0)])
def test_a_part_returned_of_a_cancelled_item(cast: Cast, chain: Chain, state: State, valid: int) -> None:
    """E3: licenses of an Obsolete item stay revoked: the rest on the device gets no new one."""
    license = put_on(cast, chain.served, 2)
    change_state(actor=cast.mobotix, item_id=chain.served.pk, state=state, reason="Unpaid", key=new_key())
    return_copies(actor=cast.installer, activation_id=license.activation_id, copies=1, key=new_key())
    assert held(chain.served) == {MAC: 1}
    assert License.objects.valid().count() == valid


def test_the_same_rehost_again(cast: Cast, chain: Chain) -> None:
    """E7: copies are rehosted once."""
    license, key = put_on(cast, chain.served), new_key()
    assert rehost_license(cast, license, key=key) == rehost_license(cast, license, key=key)
    assert held(chain.served) == {MAC: 1, OTHER: 1}


def three_licenses(cast: Cast) -> tuple[Device, list[LineItem]]:
    """A camera of the end customer with copies of three items."""
    issued = issue_item(cast, quantity=200)
    installed = split_item(cast.distributor, issued, cast.installer.account, copies=140)  # 7 a year
    items = [split_item(cast.installer, installed, cast.customer, copies=5) for _ in range(3)]
    licenses = [put_on(cast, item) for item in items]
    return licenses[0].activation.device, items


def replace(cast: Cast, device: Device, key: str = "") -> Device:
    return replace_device(actor=cast.installer, device_id=device.pk, host=host(OTHER), key=key or new_key())


def test_replace_device_moves_all(cast: Cast) -> None:
    """L4: all three licenses of a dead camera are rehosted."""
    device, items = three_licenses(cast)
    other = replace(cast, device)
    assert other.host_id == OTHER
    assert [held(item) for item in items] == [{MAC: 0, OTHER: 2}] * 3
    assert License.objects.filter(activation__device=other, ended_at=None).count() == 3
    assert not License.objects.filter(activation__device=device, ended_at=None).exists()


def test_the_same_replacement_again(cast: Cast) -> None:
    """E7: it gives the same other device."""
    device, items = three_licenses(cast)
    key = new_key()
    assert replace(cast, device, key) == replace(cast, device, key)
    assert held(items[0]) == {MAC: 0, OTHER: 2}


def test_what_cannot_move_stays(cast: Cast) -> None:
    """L4: copies of an inactive item stay on the device, with a reason."""
    device, items = three_licenses(cast)
    inactive(cast, items[1])
    assert [bool(one.obstacle) for one in plan_replacement(cast.installer, device)] == [False, True, False]
    replace(cast, device)
    assert [held(item) for item in items] == [{MAC: 0, OTHER: 2}, {MAC: 2}, {MAC: 0, OTHER: 2}]


def test_all_or_nothing_at_the_limit(cast: Cast) -> None:
    """L4: if one activation exceeds its limit, none is rehosted."""
    device, items = three_licenses(cast)
    put_on(cast, items[2], 3)
    with pytest.raises(ValidationError) as refusal:
        replace(cast, device)
    assert list(refusal.value.error_dict) == ["copies"]
    assert [held(item)[MAC] for item in items] == [2, 2, 3]


def test_nothing_to_move(cast: Cast) -> None:
    """L4: a device that is empty, or where all copies must stay, gives an error."""
    device, items = three_licenses(cast)
    for item in items:
        inactive(cast, item)
    with pytest.raises(ValidationError) as refusal:
        replace(cast, device)
    assert list(refusal.value.error_dict) == ["device"]


def test_what_others_look_after_stays(cast: Cast) -> None:
    """E12, E13: each of a customer's two installers rehosts what it serves, and does not see the rest."""
    device, items = three_licenses(cast)
    make_relation(cast.sibling_installer.account, cast.customer)
    source = split_item(cast.distributor, issue_item(cast), cast.sibling_installer.account)
    of_sibling = split_item(cast.sibling_installer, source, cast.customer, copies=5)
    with pytest.raises(ValidationError):
        replace_device(actor=cast.sibling_installer, device_id=device.pk, host=host(OTHER), key=new_key())
    activate_of = {"actor": cast.sibling_installer, "device_id": device.pk, "host": host(OTHER)}
    activate(actor=cast.sibling_installer, item_id=of_sibling.pk, host=host(), copies=1, key=new_key())
    assert len(plan_replacement(cast.sibling_installer, device)) == 1
    replace_device(**activate_of, key=new_key())
    assert held(of_sibling) == {MAC: 0, OTHER: 1}
    assert [held(item) for item in items] == [{MAC: 2}] * 3


def test_a_strangers_device(cast: Cast) -> None:
    """L1: it is not visible."""
    device, _items = three_licenses(cast)
    with pytest.raises(Device.DoesNotExist):
        replace_device(actor=cast.other_installer, device_id=device.pk, host=host(OTHER), key=new_key())
    with pytest.raises(PermissionDenied):
        replace_device(actor=cast.installer_viewer, device_id=device.pk, host=host(OTHER), key=new_key())


def test_the_bearer_returns(cast: Cast, chain: Chain) -> None:
    """L2: the Activation ID alone is enough; a second return changes nothing."""
    license = put_on(cast, chain.served)
    for _ in range(2):
        activation = return_as_bearer(activation_id=chain.served.activation_id.lower(), host=host())
        assert activation.copies == 0
    assert balances(chain.served) == (5, 5, 0)
    license.refresh_from_db()
    assert license.ended_at is not None
    assert Movement.objects.latest("pk").actor is None


def test_the_bearer_returns_within_the_limit(cast: Cast, chain: Chain) -> None:
    """L4: the limit applies to every channel."""
    put_on(cast, chain.served, 3)
    with pytest.raises(ValidationError) as refusal:
        return_as_bearer(activation_id=chain.served.activation_id, host=host())
    assert list(refusal.value.error_dict) == ["copies"]


def test_the_bearer_returns_from_a_device_that_holds_nothing(cast: Cast, chain: Chain) -> None:
    """L1: another account's device with that host ID gives the same error as an unknown one."""
    stranger = make_account(Tier.END_CUSTOMER, "Stranger", sellers=(cast.installer.account,))
    put_on(cast, split_item(cast.installer, chain.installed, stranger), 1, OTHER)
    sentences = set()
    for typed in (OTHER, "00:03:C5:99:99:99"):
        with pytest.raises(ValidationError) as refusal:
            return_as_bearer(activation_id=chain.served.activation_id, host=host(typed))
        sentences.add(str(refusal.value.message_dict))
    assert len(sentences) == 1


@pytest.mark.parametrize("of", ["installed", "issued"])
def test_the_bearer_returns_no_stock_of_partners(cast: Cast, chain: Chain, of: str) -> None:
    """L2: only end customers' items; a mistyped ID gives the same error."""
    item = getattr(chain, of)
    for activation_id in (item.activation_id, item.activation_id[:-1] + "!", "nonsense"):
        with pytest.raises(LineItem.DoesNotExist):
            return_as_bearer(activation_id=activation_id, host=host())
