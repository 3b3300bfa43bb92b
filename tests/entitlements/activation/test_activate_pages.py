"""Activate, the page and the download of a license, and the list of devices with copies of an item (L2, L3, L5)."""

import io
import zipfile

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from entitlements.activation.formats.license_files import read, unpack
from entitlements.models import Activation, Device, License, LineItem, State
from entitlements.orders.services.replacing import replace_activation_id
from tests.entitlements.activation.devices import MAC, put_on
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, Chain, yesterday

pytestmark = pytest.mark.django_db


def activate_address(item: LineItem) -> str:
    return reverse("line_item_activate", args=[item.pk])


def typed(**fields: str) -> dict[str, str]:
    return {"key": "k" * 20, "host_id": "0003c5aabbcc", "copies": "2", "name": "Entrance"} | fields


def test_activate_gives_a_license(cast: Cast, chain: Chain) -> None:
    """L2: the form, then the page of the license with its download and its QR code."""
    client = client_of(cast.installer)
    response = client.post(activate_address(chain.served), typed(site="Hall"), follow=True)
    license = License.objects.get()
    assert response.redirect_chain == [(reverse("license_detail", args=[license.license_id]), 302)]
    device = Device.objects.get()
    assert (device.host_id, device.name, device.site) == (MAC, "Entrance", "Hall")
    page = html_of(response)
    assert MAC in page
    assert reverse("license_download", args=[license.license_id]) in page
    assert "<svg" in page[page.index('class="mx-qr"') :]


def test_the_type_that_was_chosen(cast: Cast, chain: Chain) -> None:
    """L1: the type is guessed or chosen: twelve hexadecimal digits can be a serial number."""
    form = typed(host_id="100000000012", host_id_type="serial")
    client_of(cast.installer).post(activate_address(chain.served), form)
    assert Device.objects.get().host_id == "100000000012"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"host_id": ""}, ["host_id"]),
        ({"host_id": "00:03:C5:AA:BB", "host_id_type": "mac"}, ["host_id"]),
        ({"host_id": "00:03:C5:AA:BB:0Z"}, ["host_id"]),
        ({"host_id": "?", "copies": "1.5"}, ["copies", "host_id"]),
        ({"copies": "0"}, ["copies"]),
        ({"copies": "6"}, ["copies"]),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    cast: Cast, chain: Chain, fields: dict[str, str], wrong: list[str]
) -> None:
    """Errors are at their fields, typed text is kept, and nothing is created."""
    response = client_of(cast.installer).post(activate_address(chain.served), typed(**fields))
    assert sorted(errors_of(response)) == wrong
    assert "Entrance" in html_of(response)
    assert not Device.objects.exists()


def test_known_devices_are_suggested(cast: Cast, chain: Chain) -> None:
    """L1: only devices of the item's owner are suggested."""
    put_on(cast, chain.served)
    client = client_of(cast.installer)
    option = f'<option value="{MAC}">'
    assert option in html_of(client.get(activate_address(chain.served)))
    assert option not in html_of(client.get(activate_address(chain.installed)))


@pytest.mark.parametrize(
    "change", [{"state": State.INACTIVE}, {"starts_on": yesterday(), "expires_on": yesterday()}]
)
def test_an_item_that_cannot_be_activated(cast: Cast, chain: Chain, change: dict[str, object]) -> None:
    """L2: the page says why and has no form; the item's page has no "Activate"."""
    LineItem.objects.filter(pk=chain.served.pk).update(**change)
    client = client_of(cast.installer)
    page = html_of(client.get(activate_address(chain.served)))
    assert "alert-warning" in page
    assert 'name="host_id"' not in page
    item_page = html_of(client.get(reverse("line_item_detail", args=[chain.served.pk])))
    assert activate_address(chain.served) not in item_page


def test_mobotix_gives_a_reason(cast: Cast, chain: Chain) -> None:
    """E13: MOBOTIX must give a reason where it acts on what others sold."""
    client = client_of(cast.mobotix)
    assert "reason" in errors_of(client.post(activate_address(chain.served), typed()))
    client.post(activate_address(chain.served), typed(reason="Asked by phone"))
    assert License.objects.count() == 1


def test_download(cast: Cast, chain: Chain) -> None:
    """L5: the file is the stored one, named after the device; an ended license cannot be downloaded."""
    license = put_on(cast, chain.served, 1)
    client = client_of(cast.installer_viewer)
    address = reverse("license_download", args=[license.license_id])
    response = client.get(address)
    assert html_of(response) == license.file
    name = f"license-{MAC.replace(':', '-')}-{str(license.license_id)[:8]}.lic"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    put_on(cast, chain.served, 2)
    assert client.get(address).status_code == 404
    page = html_of(client.get(reverse("license_detail", args=[license.license_id])))
    assert "It is no longer valid." in page
    assert address not in page


@pytest.mark.slow
def test_who_may_have_the_license(cast: Cast, chain: Chain) -> None:
    """E5, L1: only parties of the item have its license, and not the distributor further up, who sees the item."""
    license = put_on(cast, chain.served)
    for name in ("license_detail", "license_download"):
        expected = [
            (cast.installer, 200),
            (cast.installer_viewer, 200),
            (cast.mobotix, 200),
            (cast.distributor, 404),
            (cast.sibling_installer, 404),
        ]
        assert_statuses(reverse(name, args=[license.license_id]), expected)


def test_the_item_names_its_devices_to_parties(cast: Cast, chain: Chain) -> None:
    """L1: the distributor sees that a copy is activated, and not on which device."""
    put_on(cast, chain.served)
    address = reverse("line_item_detail", args=[chain.served.pk])
    assert MAC in html_of(client_of(cast.installer).get(address))
    page = html_of(client_of(cast.distributor).get(address))
    assert "2 activated" in page
    assert MAC not in page
    assert "Entrance" not in page
    assert_statuses(
        reverse("line_item_activations", args=[chain.served.pk]),
        [(cast.installer, 200), (cast.distributor, 403), (cast.sibling_installer, 404)],
    )


@pytest.mark.slow
def test_after_the_id_was_replaced(cast: Cast, chain: Chain) -> None:
    """E5, L2: the page says that the file opens with the former ID; activating the same number again gives a file for
    the new ID.
    """
    license = put_on(cast, chain.served)
    replace_activation_id(
        actor=cast.installer, item_id=chain.served.pk, key="r" * 20, reason="Sent astray", send_mail=False
    )
    client = client_of(cast.installer)
    page = client.get(reverse("license_detail", args=[license.license_id]))
    assert "its file opens with the former ID" in html_of(page)
    form = client.get(page.context["again_url"]).context["form"]
    assert (form["host_id"].value(), form["copies"].value()) == (MAC, "2")
    client.post(activate_address(chain.served), typed())
    new = License.objects.valid().get()
    chain.served.refresh_from_db()
    sealed = unpack(new.file)
    document = read(sealed, activation_id=chain.served.activation_id, host_id=MAC)
    assert document["included"][0]["attributes"]["copies"] == 2
    assert put_on(cast, chain.served).pk == new.pk
    page = client.get(reverse("license_detail", args=[new.license_id]))
    assert "former ID" not in html_of(page)


def test_all_licenses_in_one_archive(cast: Cast, chain: Chain) -> None:
    """The archive has one file for each valid license; the range of one request limits it."""
    first, second = put_on(cast, chain.served, 1), put_on(cast, chain.served, 1, "SN-2")
    client = client_of(cast.installer)
    address = reverse("line_item_licenses", args=[chain.served.pk])
    assert archive(client.get(address).content) == {first.file, second.file}
    assert archive(client.get(address, {"first": second.pk, "last": second.pk}).content) == {second.file}
    License.objects.filter(pk=first.pk).update(ended_at=second.issued_at)
    assert archive(client.get(address).content) == {second.file}


def archive(content: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        assert all(name.endswith(".lic") for name in files.namelist())
        return {files.read(name).decode() for name in files.namelist()}


@pytest.mark.slow
def test_a_fixed_number_of_queries(
    cast: Cast, chain: Chain, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The pages take as many queries with three devices as with one."""
    client = client_of(cast.installer)
    addresses = [
        reverse(name, args=[chain.installed.pk])
        for name in ("line_item_detail", "line_item_activations", "line_item_activate")
    ]
    put_on(cast, chain.installed, 1, "SN-1")
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
    assert Activation.objects.count() == 3
