"""Devices, and the activation of copies on them (L1, L2)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.exceptions import PermissionDenied, ValidationError

from entitlements.activation.services.activate import activate, activate_as_bearer
from entitlements.ledger.signing import active_key
from entitlements.models import Device, License, LineItem, Movement, MovementKind, State, today
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import MAC, balances, host, put_on
from tests.entitlements.activation.test_license_files import published_reader
from tests.factories import Cast, Chain, issue_item, yesterday

pytestmark = pytest.mark.django_db


def test_activate_gives_a_license_that_anyone_can_check(cast: Cast, chain: Chain) -> None:
    """L2, L5: it writes a movement, balances and a device of the owner; the published format is enough to read the
    file.
    """
    license = put_on(cast, chain.served)
    document = published_reader(license.file, chain.served.activation_id, MAC, _public_key())

    assert balances(chain.served) == (5, 3, 2)
    movement = Movement.objects.latest("pk")
    assert (movement.kind, movement.copies, movement.actor) == (MovementKind.ACTIVATE, 2, cast.installer)
    device = Device.objects.get()
    assert (device.account, device.host_id, device.name) == (cast.customer, MAC, "Entrance")
    assert document["data"]["attributes"]["fingerprint"] == MAC
    assert document["included"][0]["attributes"]["copies"] == 2
    assert document["meta"]["keyId"] == active_key().key_id


def _public_key() -> Ed25519PublicKey:
    import base64

    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(active_key().public_key + "="))


def test_the_same_total_again(cast: Cast, chain: Chain) -> None:
    """L2: the same total changes nothing and gives the same license, however the host ID is typed."""
    first = put_on(cast, chain.served)
    again = put_on(cast, chain.served, typed="0003c5aabbcc")

    assert (again.pk, again.file) == (first.pk, first.file)
    assert balances(chain.served) == (5, 3, 2)


def test_another_total_replaces_the_license(cast: Cast, chain: Chain) -> None:
    """L2, L4: a higher total takes available copies, a lower one is a return; the former license ends."""
    first = put_on(cast, chain.served, 1)
    second = put_on(cast, chain.served, 3)
    third = put_on(cast, chain.served, 2)

    assert balances(chain.served) == (5, 3, 2)
    assert [bool(License.objects.get(pk=row.pk).ended_at) for row in (first, second, third)] == [
        True,
        True,
        False,
    ]
    kinds = Movement.objects.filter(item=chain.served).order_by("pk").values_list("kind", "copies")
    assert list(kinds)[1:] == [("activate", 1), ("activate", 2), ("return", 1)]


def test_more_than_is_available(cast: Cast, chain: Chain) -> None:
    """L2: the error is at the number of copies, and nothing is written."""
    with pytest.raises(ValidationError) as refused:
        put_on(cast, chain.served, 6)
    assert list(refused.value.error_dict) == ["copies"]
    assert not Device.objects.exists()
    assert balances(chain.served) == (5, 5, 0)


@pytest.mark.parametrize("copies", [0, -1])
def test_not_even_one(cast: Cast, chain: Chain, copies: int) -> None:
    """L2: zero copies are refused, because taking all copies off a device is a return."""
    with pytest.raises(ValidationError) as refused:
        put_on(cast, chain.served, copies)
    assert list(refused.value.error_dict) == ["copies"]


@pytest.mark.parametrize(
    "change",
    [
        {"state": State.INACTIVE},
        {"state": State.OBSOLETE},
        {"starts_on": yesterday(), "expires_on": yesterday()},
    ],
)
def test_only_what_is_deployed_and_not_expired(cast: Cast, chain: Chain, change: dict[str, object]) -> None:
    """E3, L2: other items cannot be activated."""
    LineItem.objects.filter(pk=chain.served.pk).update(**change)
    with pytest.raises(ValidationError) as refused:
        put_on(cast, chain.served)
    assert list(refused.value.error_dict) == ["item"]


def test_before_the_start_date(cast: Cast, chain: Chain) -> None:
    """L2: activation before the start date is allowed."""
    LineItem.objects.filter(pk=chain.served.pk).update(starts_on=today() + timedelta(days=30))
    assert put_on(cast, chain.served).copies == 2


@pytest.mark.parametrize("who", ["distributor", "installer_viewer", "sibling_installer", "other_distributor"])
def test_who_may_not(cast: Cast, chain: Chain, who: str) -> None:
    """E13: accounts up the chain, view-only users and strangers may not activate."""
    with pytest.raises((PermissionDenied, LineItem.DoesNotExist)):
        activate(actor=getattr(cast, who), item_id=chain.served.pk, host=host(), copies=1, key=new_key())


def test_one_host_at_two_accounts(cast: Cast, chain: Chain) -> None:
    """L1: the same host in another account is another device."""
    put_on(cast, chain.served)
    put_on(cast, chain.installed)
    assert set(Device.objects.values_list("account", "host_id")) == {
        (cast.customer.pk, MAC),
        (cast.installer.account_id, MAC),
    }


def test_the_same_key(cast: Cast, chain: Chain) -> None:
    """E7: a client that repeats its request gets the same license."""
    first = put_on(cast, chain.served, key="one")
    assert put_on(cast, chain.served, key="one").pk == first.pk
    with pytest.raises(ValidationError, match="already sent"):
        put_on(cast, chain.served, 3, key="one")


def test_the_same_key_for_another_name(cast: Cast, chain: Chain) -> None:
    """E7: a request that differs in anything is another request."""
    request = {"actor": cast.installer, "item_id": chain.served.pk, "copies": 2, "key": new_key()}
    activate(**request, host=host())
    with pytest.raises(ValidationError):
        activate(**request, host=replace(host(), name="Gate"))


def test_mobotix_says_why(cast: Cast, chain: Chain) -> None:
    """E13: MOBOTIX needs a reason for items of others, which the movement keeps, and none for its own."""
    request = {"actor": cast.mobotix, "item_id": chain.served.pk, "host": host(), "copies": 2}
    with pytest.raises(ValidationError) as refusal:
        activate(**request, key=new_key())
    assert list(refusal.value.error_dict) == ["reason"]
    activate(**request, reason="The installer is on holiday.", key=new_key())
    assert Movement.objects.latest("pk").reason == "The installer is on holiday."
    activate(**request, key=new_key())  # which changes nothing
    activate(**request | {"item_id": chain.issued.pk}, key=new_key())


def test_the_bearer(cast: Cast, chain: Chain) -> None:
    """L2: the ID, typed in any form, is the proof; the movement has no actor."""
    license = activate_as_bearer(activation_id=chain.served.activation_id.lower(), host=host(), copies=1)
    movement = Movement.objects.latest("pk")
    assert (license.copies, movement.actor) == (1, None)


def test_the_bearer_of_an_id_of_another_system(cast: Cast, chain: Chain) -> None:
    """E5: it is looked up as typed."""
    LineItem.objects.filter(pk=chain.served.pk).update(activation_id="FNO-77-ABC")
    assert activate_as_bearer(activation_id="FNO-77-ABC", host=host(), copies=1).copies == 1


def test_the_bearer_of_a_draft(cast: Cast) -> None:
    """E3: a draft does not exist for anybody but MOBOTIX."""
    draft = issue_item(cast, cast.customer, deploy=False)
    with pytest.raises(LineItem.DoesNotExist):
        activate_as_bearer(activation_id=draft.activation_id, host=host(), copies=1)


def test_the_bearer_of_an_installers_stock(cast: Cast, chain: Chain) -> None:
    """L2: only end customers' items can be activated so; a wrong, an unknown and another account's ID give the same
    error.
    """
    unknown = chain.served.activation_id[:-1]
    for activation_id in (chain.installed.activation_id, chain.issued.activation_id, unknown, "", "7KQ4"):
        with pytest.raises(LineItem.DoesNotExist):
            activate_as_bearer(activation_id=activation_id, host=host(), copies=1)


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("mobotix", True),
        ("installer", True),
        ("distributor", False),
        ("sibling_installer", False),
        ("other_installer", False),
    ],
)
def test_who_sees_a_device(cast: Cast, chain: Chain, who: str, sees: bool) -> None:
    """L1, E13: an end customer's devices are visible to its sellers, and not further up."""
    put_on(cast, chain.served)
    assert Device.objects.visible_to(getattr(cast, who)).exists() == sees
