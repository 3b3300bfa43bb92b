"""Return, Rehost and Replace device: what they ask, what they say of the limit, and where they lead (L4)."""

from typing import Any

import pytest
from django.urls import reverse

from entitlements.activation.services.activate import activate
from entitlements.models import Activation, Device, License, LineItem, State
from tests.entitlements.activation.devices import MAC, balances, give_back, host, put_on
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, Chain, split_item

pytestmark = pytest.mark.django_db
OTHER = "00:03:C5:00:00:02"


def address(name: str, license: License) -> str:
    device = license.activation.device_id
    return reverse(name, args=[device if name == "device_replace" else license.activation_id])


def typed(**fields: str) -> dict[str, str]:
    return {"key": "k" * 20} | fields


def test_return_says_what_is_left(cast: Cast, chain: Chain) -> None:
    """L4: the page shows the limit before and after; the copies are available again."""
    license = put_on(cast, chain.served, 3)
    client = client_of(cast.installer)
    page = html_of(client.get(address("activation_return", license)))
    assert "2 copies of this line item can be returned" in page
    assert "2 copies are left" in page
    response = client.post(address("activation_return", license), typed(copies="1"), follow=True)
    assert "1 copy has come back" in html_of(response)
    assert "1 more can be returned within a year" in html_of(response)
    assert response.redirect_chain[0][0] == reverse("device_detail", args=[license.activation.device_id])
    assert balances(chain.served) == (5, 3, 2)


def test_return_leads_back_to_what_it_was_for(cast: Cast, chain: Chain) -> None:
    """E8: it leads back to the undo page; addresses of other sites are ignored."""
    license = put_on(cast, chain.served, 2)
    client = client_of(cast.installer)
    undo = reverse("line_item_undo", args=[chain.served.pk])
    for number, (back, leads_to) in enumerate(
        ((undo, undo), ("//evil.example", reverse("device_detail", args=[license.activation.device_id])))
    ):
        form = {"key": str(number) * 20, "copies": "1"}
        response = client.post(f"{address('activation_return', license)}?back={back}", form)
        assert response.url == leads_to


@pytest.mark.parametrize("copies", ["", "0", "4", "1.5"])
def test_wrong_numbers(cast: Cast, chain: Chain, copies: str) -> None:
    """The error is at the field, and nothing changes."""
    license = put_on(cast, chain.served, 3)
    response = client_of(cast.installer).post(address("activation_return", license), typed(copies=copies))
    assert list(errors_of(response)) == ["copies"]
    assert balances(chain.served) == (5, 2, 3)


@pytest.mark.parametrize("name", ["activation_return", "activation_rehost"])
def test_at_the_limit(cast: Cast, chain: Chain, name: str) -> None:
    """L4: the page says who can help, and has no form; MOBOTIX can continue with a reason."""
    license = put_on(cast, chain.served, 5)
    give_back(cast, 2)
    page = html_of(client_of(cast.installer).get(address(name, license)))
    assert (
        "2 copies of this line item can be returned per year; 0 are left. If you need more, contact MOBOTIX."
        in page
    )
    assert 'name="copies"' not in page
    client = client_of(cast.mobotix)
    form = typed(copies="1", host_id=OTHER)
    assert "reason" in errors_of(client.post(address(name, license), form))
    assert client.post(address(name, license), form | {"reason": "Defective"}).status_code == 302


def test_beyond_the_limit_of_what_mobotix_sold_itself(cast: Cast, chain: Chain) -> None:
    """L4: a reason is needed there, too."""
    license = activate(actor=cast.distributor, item_id=chain.issued.pk, host=host(), copies=9, key="d" * 20)
    client = client_of(cast.mobotix)
    assert client.post(address("activation_return", license), typed(copies="5")).status_code == 302
    response = client.post(address("activation_return", license), {"key": "l" * 20, "copies": "1"})
    assert list(errors_of(response)) == ["reason"]


@pytest.mark.slow
def test_rehost_gives_the_license_of_the_other_device(cast: Cast, chain: Chain) -> None:
    """L4: one step; the owner's other devices are suggested."""
    license = put_on(cast, chain.served, 2)
    put_on(cast, chain.served, 1, "SN-KNOWN")
    client = client_of(cast.installer)
    page = html_of(client.get(address("activation_rehost", license)))
    assert '<option value="SN-KNOWN">' in page
    assert f'<option value="{MAC}">' not in page
    form = typed(host_id=OTHER, name="Roof", copies="2")
    response = client.post(address("activation_rehost", license), form, follow=True)
    new = License.objects.get(activation__device__host_id=OTHER)
    assert response.redirect_chain[0][0] == reverse("license_detail", args=[new.license_id])
    assert "0 more can be returned within a year" in html_of(response)
    same = client_of(cast.mobotix).post(
        reverse("activation_rehost", args=[new.activation_id]),
        {"key": "m" * 20, "host_id": OTHER, "copies": "1", "reason": "x"},
    )
    assert list(errors_of(same)) == ["host_id"]


def test_rehost_of_what_cannot_be_activated(cast: Cast, chain: Chain) -> None:
    """E3: return works, rehost does not; the page says why."""
    license = put_on(cast, chain.served, 2)
    LineItem.objects.filter(pk=chain.served.pk).update(state=State.INACTIVE)
    client = client_of(cast.installer)
    assert "Only deployed line items can be activated" in html_of(
        client.get(address("activation_rehost", license))
    )
    assert 'name="copies"' in html_of(client.get(address("activation_return", license)))


def test_nothing_left_to_return(cast: Cast, chain: Chain) -> None:
    """On a page that stayed open, all copies have come back meanwhile."""
    license = put_on(cast, chain.served, 1)
    give_back(cast, 1)
    page = html_of(client_of(cast.installer).get(address("activation_return", license)))
    assert "No copies of this line item are on this device any more" in page


def three_on_one(cast: Cast, chain: Chain) -> list[License]:
    """Three items of the customer on one camera."""
    source = split_item(cast.distributor, chain.issued, cast.installer.account, copies=20)
    others = [split_item(cast.installer, source, cast.customer, copies=2) for _number in range(2)]
    return [put_on(cast, item, 1) for item in (chain.served, *others)]


@pytest.mark.slow
def test_replace_device(cast: Cast, chain: Chain) -> None:
    """L4: everything is rehosted in one step; the page shows it before."""
    licenses = three_on_one(cast, chain)
    client = client_of(cast.installer)
    page = html_of(client.get(address("device_replace", licenses[0])))
    assert page.count("Is rehosted to the other device.") == 3
    form = typed(host_id=OTHER, name="New camera")
    response = client.post(address("device_replace", licenses[0]), form, follow=True)
    other = Device.objects.get(host_id=OTHER)
    assert response.redirect_chain[0][0] == reverse("device_detail", args=[other.pk])
    assert set(Activation.objects.held().values_list("device__name", "copies")) == {("New camera", 1)}
    old = html_of(client.get(reverse("device_detail", args=[licenses[0].activation.device_id])))
    assert "No copies are on this device" in old


def test_replace_says_what_stays_and_why(cast: Cast, chain: Chain) -> None:
    """L4: inactive items stay; a limit that is reached prevents everything, and the page says who can help."""
    licenses = three_on_one(cast, chain)
    items = [license.activation.item for license in licenses]
    LineItem.objects.filter(pk=items[2].pk).update(state=State.INACTIVE)
    client = client_of(cast.installer)
    page = html_of(client.get(address("device_replace", licenses[0])))
    assert page.count("Is rehosted to the other device.") == 2
    assert "Stays on this device." in page
    put_on(cast, items[0], 5)
    page = html_of(client.get(address("device_replace", licenses[0])))
    assert "If you need more, contact MOBOTIX" in page
    assert 'name="host_id"' not in page
    refused = client.post(address("device_replace", licenses[0]), typed(host_id=OTHER))
    assert list(errors_of(refused)) == ["__all__"]
    assert Activation.objects.held().filter(device__host_id=OTHER).count() == 0


@pytest.mark.slow
def test_who_may(cast: Cast, chain: Chain) -> None:
    """E13: owner, serving account and MOBOTIX may."""
    license = put_on(cast, chain.served)
    for name in ("activation_return", "activation_rehost", "device_replace"):
        people: list[tuple[Any, int]] = [
            (cast.mobotix, 200),
            (cast.installer, 200),
            (cast.installer_viewer, 403),
            (cast.distributor, 404),
            (cast.sibling_installer, 404),
        ]
        assert_statuses(address(name, license), people)
