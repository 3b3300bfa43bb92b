"""L2: copies of one item on many devices at once."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from entitlements.activation.services.activate import MAX_DEVICES, activate_many
from entitlements.activation.services.devices import HostId
from entitlements.activation.services.returns import return_copies
from entitlements.identifiers.host_ids import HostIdType
from entitlements.models import Activation, Device, License, LineItem, Movement
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import balances, put_on
from tests.factories import Cast, Chain

pytestmark = pytest.mark.django_db


def line(number: int, copies: int = 1) -> tuple[HostId, int]:
    return HostId(typed=f"CAM-{number:03}", kind=HostIdType.SERIAL, name=f"Camera {number}"), copies


def many(cast: Cast, item: LineItem, *lines: tuple[HostId, int], key: str = "") -> list[License]:
    return activate_many(actor=cast.installer, item_id=item.pk, lines=lines, key=key or new_key())


def problems(cast: Cast, item: LineItem, *lines: tuple[HostId, int]) -> list[str]:
    with pytest.raises(ValidationError) as refusal:
        many(cast, item, *lines)
    return refusal.value.message_dict["lines"]


def test_each_device_gets_its_license(cast: Cast, chain: Chain) -> None:
    """L2: licenses come in the order of the lines, on devices of the owner."""
    licenses = many(cast, chain.served, line(1), line(2, 3))
    assert [license.copies for license in licenses] == [1, 3]
    assert [license.activation.device.host_id for license in licenses] == ["CAM-001", "CAM-002"]
    assert balances(chain.served) == (5, 1, 4)
    assert set(Device.objects.values_list("account", "name")) == {
        (cast.customer.pk, "Camera 1"),
        (cast.customer.pk, "Camera 2"),
    }


def test_the_copies_are_the_new_totals(cast: Cast, chain: Chain) -> None:
    """L2: a device that holds its copies already keeps its license."""
    (first, _second) = many(cast, chain.served, line(1), line(2))
    again, more = many(cast, chain.served, line(1), line(2, 3))
    assert again == first
    assert more.copies == 3
    assert balances(chain.served) == (5, 1, 4)


def test_all_or_none(cast: Cast, chain: Chain) -> None:
    """L2: one line with more copies than are available changes nothing; the sentence names the line."""
    found = problems(cast, chain.served, line(1, 3), line(2, 3))
    assert found == ["Line 2: Only 2 copies are available now. Enter a smaller amount."]
    assert not Movement.objects.filter(activation__isnull=False).exists()
    assert not Activation.objects.exists()
    assert not Device.objects.exists()


def test_every_bad_line_is_named(cast: Cast, chain: Chain) -> None:
    """L1: wrong host IDs, and a device that occurs twice."""
    wrong = HostId(typed="00:03:C5", kind=HostIdType.MAC)
    found = problems(cast, chain.served, (wrong, 1), line(2), line(3), line(2))
    assert [sentence.split(":")[0] for sentence in found] == ["Line 1", "Line 4"]
    assert "already in line 2" in found[1]


@pytest.mark.parametrize("number", [0, MAX_DEVICES + 1])
def test_none_or_too_many(cast: Cast, chain: Chain, number: int) -> None:
    """L2: the number of lines is checked before anything else."""
    assert problems(cast, chain.served, *map(line, range(number))) == [f"Enter 1 to {MAX_DEVICES} devices."]


def test_the_same_request_again(cast: Cast, chain: Chain) -> None:
    """E7: it gives the same licenses, without those that were returned since."""
    key = new_key()
    first = many(cast, chain.installed, line(1), line(2), key=key)
    assert many(cast, chain.installed, line(1), line(2), key=key) == first
    return_copies(actor=cast.installer, activation_id=first[0].activation_id, copies=1, key=new_key())
    assert many(cast, chain.installed, line(1), line(2), key=key) == first[1:]
    assert balances(chain.installed)[2] == 1


def test_only_for_who_acts_on_the_item(cast: Cast, chain: Chain) -> None:
    """E13: the seller sees the installer's item and does not activate it; an outsider does not see it."""
    with pytest.raises(PermissionDenied):
        activate_many(actor=cast.distributor, item_id=chain.installed.pk, lines=[line(1)], key=new_key())
    with pytest.raises(LineItem.DoesNotExist):
        activate_many(actor=cast.other_installer, item_id=chain.installed.pk, lines=[line(1)], key=new_key())


def test_mobotix_says_why(cast: Cast, chain: Chain) -> None:
    """E13: MOBOTIX needs a reason where fewer copies are a return of others' copies; the error is at its field."""
    put_on(cast, chain.served, 2, "CAM-001")
    with pytest.raises(ValidationError) as refusal:
        activate_many(actor=cast.mobotix, item_id=chain.served.pk, lines=[line(1)], key=new_key())
    assert list(refusal.value.error_dict) == ["reason"]
