"""Devices: the list, its search and export, the page of one, adding and editing (L1, E13)."""

from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from entitlements.models import Device
from tests.entitlements.activation.devices import MAC, give_back, put_on
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, Chain

pytestmark = pytest.mark.django_db
LIST = "/devices/"


def add(cast: Cast, host_id: str, **fields: str) -> Device:
    account = cast.customer
    return Device.objects.create(account=account, host_id=host_id, **fields)


def listed(client: Any, **query: Any) -> list[str]:
    return [row.host_id for row in client.get(LIST, query).context["rows"]]


def test_whose_devices_are_listed(cast: Cast, chain: Chain) -> None:
    """L1: devices of the account and of end customers that it sells to; MOBOTIX sees all."""
    put_on(cast, chain.served, 2)
    put_on(cast, chain.installed, 1, "SN-STOCK")
    for person in (cast.installer, cast.installer_viewer, cast.mobotix):
        rows = client_of(person).get(LIST).context["rows"]
        assert [(row.host_id, row.copies) for row in rows] == [("SN-STOCK", 1), (MAC, 2)]
    assert [row.account for row in rows] == [cast.installer.account.name, "City Hospital"]
    for person in (cast.distributor, cast.sibling_installer, cast.other_installer):
        assert listed(client_of(person)) == []


@pytest.mark.parametrize("typed", ["0003c5aabb", "00-03-C5", "c5:aa", "Entr", "hall", "ntranc"])
def test_search(cast: Cast, typed: str) -> None:
    """Search finds parts of the host ID in any form, of the name, and of the site."""
    add(cast, MAC, name="Entrance", site="Hall")
    add(cast, "SN-1", name="Roof", site="Tower")
    assert listed(client_of(cast.installer), q=typed) == [MAC]


def test_search_for_too_little_and_for_nothing(cast: Cast) -> None:
    """Fewer than three characters are refused; an empty result says what to do."""
    add(cast, MAC)
    client = client_of(cast.installer)
    assert "Type at least 3 characters" in html_of(client.get(LIST, {"q": "00"}))
    assert "No device matches" in html_of(client.get(LIST, {"q": "nothing"}))
    assert "No devices yet" in html_of(client_of(cast.sibling_installer).get(LIST))


def test_pages_and_the_devices_of_one_account(cast: Cast, settings: Any) -> None:
    """The list has keyset pages, newest first; an account's link filters it."""
    settings.PAGE_SIZE = 2
    names = [add(cast, f"SN-{number}").host_id for number in range(3)]
    other = Device.objects.create(account=cast.installer.account, host_id="SN-OWN")
    client = client_of(cast.installer)
    first = client.get(LIST)
    assert [row.host_id for row in first.context["rows"]] == ["SN-OWN", "SN-2"]
    older = client.get(LIST + first.context["page"].older_url)
    assert [row.host_id for row in older.context["rows"]] == ["SN-1", "SN-0"]
    assert listed(client, account=other.account_id) == ["SN-OWN"]
    assert sorted(names)[0] == "SN-0"


def test_the_file(cast: Cast, chain: Chain) -> None:
    """The filtered list as CSV; formulas are disarmed."""
    put_on(cast, chain.served, 2)
    add(cast, "SN-1", name="=1+1", site="Hall")
    client = client_of(cast.installer_viewer)
    response = client.get("/devices/download/")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    lines = text.splitlines()
    assert lines[0] == '"Host ID","Type of host ID","Name","Model","Account","Site","Copies"'
    assert lines[1] == '"SN-1","MAC address","\'=1+1","","City Hospital","Hall","0"'
    assert lines[2] == f'"{MAC}","MAC address","Entrance","","City Hospital","","2"'
    narrowed = b"".join(client.get("/devices/download/", {"q": "hall"}).streaming_content).decode()
    assert MAC not in narrowed
    assert len(b"".join(client.get("/devices/download/", {"q": "h"}).streaming_content).splitlines()) == 1


def test_the_page_of_a_device(cast: Cast, chain: Chain) -> None:
    """It shows what the device holds, and its history with names masked as everywhere, newest first."""
    put_on(cast, chain.served, 2)
    device = Device.objects.get()
    client = client_of(cast.installer)
    client.post(
        reverse("device_edit", args=[device.pk]), {"key": "k" * 20, "name": "Door", "notes": "Ask first"}
    )
    give_back(cast, 1)
    page = client.get(reverse("device_detail", args=[device.pk]))
    assert [(row.product, row.copies) for row in page.context["activations"]] == [("Video Analytics", 1)]
    texts = [event.text for event in page.context["timeline"].events]
    assert texts == [
        f"1 copy of Video Analytics was returned from Door ({MAC}).",
        "The details of the device were changed.",
        f"2 copies of Video Analytics were activated on Door ({MAC}).",
    ]
    assert "Ask first" in html_of(page)
    assert {event.by for event in page.context["timeline"].events} == {str(cast.installer)}
    history = client_of(cast.distributor).get(reverse("line_item_history", args=[chain.served.pk]))
    assert MAC not in html_of(history)


def test_who_sees_and_edits(cast: Cast, chain: Chain) -> None:
    """E13: who sees a device, and who edits it."""
    put_on(cast, chain.served)
    device = Device.objects.get()
    everybody = {
        "device_detail": (200, 200, 404, 404),
        "device_edit": (200, 403, 404, 404),
    }
    people = (cast.installer, cast.installer_viewer, cast.distributor, cast.sibling_installer)
    for name, statuses in everybody.items():
        assert_statuses(reverse(name, args=[device.pk]), zip(people, statuses, strict=True))


def test_add_device(cast: Cast) -> None:
    """L1: a device is added to the own account, or to an end customer by its Account ID."""
    client = client_of(cast.installer)
    form = {
        "key": "k" * 20,
        "account": cast.customer.account_id.lower(),
        "host_id": "0003c5aabbcc",
        "site": "Hall",
    }
    response = client.post("/devices/new/", form)
    device = Device.objects.get()
    assert (response.url, device.account, device.host_id) == (f"/devices/{device.pk}/", cast.customer, MAC)
    again = client.post("/devices/new/", form | {"key": "l" * 20})
    assert list(errors_of(again)) == ["host_id"]
    stranger = client.post("/devices/new/", form | {"account": cast.other_installer.account.account_id})
    assert list(errors_of(stranger)) == ["account"]
    page = html_of(client.get("/devices/new/", {"account": cast.customer.pk}))
    assert f'value="{cast.customer.account_id}"' in page


def test_a_fixed_number_of_queries(
    cast: Cast, chain: Chain, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Each page takes as many queries with three devices as with one."""
    put_on(cast, chain.installed, 1, "SN-1")
    client = client_of(cast.installer)
    addresses = [LIST, f"{LIST}?q=SN-", f"{LIST}{Device.objects.get().pk}/"]
    counts = []
    for address in addresses:
        with django_assert_num_queries(60, exact=False) as counted:
            client.get(address)
        counts.append(len(counted))
    put_on(cast, chain.installed, 1, "SN-2")
    put_on(cast, chain.installed, 1, "SN-3")
    for address, count in zip(addresses, counts, strict=True):
        with django_assert_num_queries(count):
            client.get(address)
