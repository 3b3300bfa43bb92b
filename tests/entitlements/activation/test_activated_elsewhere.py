"""Activations on other pages: the mail with license files, undo, Home, the list, and the transfer of an account."""

import io
import zipfile
from typing import Any

import pytest
from django.urls import reverse

from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.models import Activation, License, LineItem, State
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from notifications.models import Mail
from notifications.registry import render
from tests.entitlements.activation.devices import MAC, balances, give_back, put_on
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, Chain, split_item

pytestmark = pytest.mark.django_db


def email_address(item: LineItem) -> str:
    return reverse("line_item_email", args=[item.pk])


def mail_with_licenses(cast: Cast, item: LineItem) -> Mail:
    (mail,) = queue_activation_mail(
        items=[item], recipients=["a@b.example"], actor=cast.installer, certificate=False, licenses=True
    )
    return mail


def files_of(mail: Mail) -> list[tuple[str, bytes]]:
    message = render(mail)
    assert message is not None
    return [(name, content) for name, content, _type in message.attachments]


def test_email_offers_the_license_files(cast: Cast, chain: Chain) -> None:
    """E9: the option is ticked where the item has licenses, absent where it has none, and kept with the mail."""
    client = client_of(cast.installer)
    assert 'name="attach_licenses"' not in html_of(client.get(email_address(chain.served)))
    put_on(cast, chain.served)
    form = client.get(email_address(chain.served)).context["form"]
    assert form["attach_licenses"].value() is True
    typed = {"key": new_key(), "recipients": "a@b.example", "attach_licenses": "on"}
    client.post(email_address(chain.served), typed)
    client.post(email_address(chain.served), {"key": new_key(), "recipients": "c@d.example"})
    mails = {mail.recipient_email: mail.context for mail in chain.served.mails.all()}
    assert mails["a@b.example"]["licenses"] is True
    assert "licenses" not in mails["c@d.example"]


def test_of_a_whole_entitlement(cast: Cast, chain: Chain) -> None:
    """E9: the option is offered and not ticked where another line of the entitlement has licenses."""
    bare, other = (
        split_item(cast.installer, chain.installed, cast.customer, copies=2, order_number="PO-9")
        for _number in range(2)
    )
    put_on(cast, other)
    form = client_of(cast.installer).get(email_address(bare)).context["form"]
    assert form["attach_licenses"].value() is False


def test_the_files_are_those_of_the_delivery(cast: Cast, chain: Chain) -> None:
    """N4: the mail has the licenses that are valid at its delivery."""
    first = put_on(cast, chain.served, 1)
    mail = mail_with_licenses(cast, chain.served)
    second = put_on(cast, chain.served, 2, "SN-2")
    assert {content.decode() for _name, content in files_of(mail)} == {first.file, second.file}
    assert {name.rpartition(".")[2] for name, _content in files_of(mail)} == {"lic"}
    Activation.objects.get(pk=second.activation_id).licenses.update(ended_at=second.issued_at)
    assert [content.decode() for _name, content in files_of(mail)] == [first.file]
    message = render(mail)
    assert message is not None
    for text in (message.text, message.html):
        assert "The license file of 1 activated device is attached" in " ".join(text.split())


def test_no_file_for_a_former_id(cast: Cast, chain: Chain) -> None:
    """E5: the mail has no license that its Activation ID does not open."""
    put_on(cast, chain.served)
    replace_activation_id(
        actor=cast.installer, item_id=chain.served.pk, key=new_key(), reason="Sent astray", send_mail=False
    )
    chain.served.refresh_from_db()
    assert files_of(mail_with_licenses(cast, chain.served)) == []


def test_many_files_come_as_one(cast: Cast, chain: Chain, monkeypatch: Any) -> None:
    """More than ten files come in an archive; of very many the mail has the newest, and says so."""
    for number in range(11):
        put_on(cast, chain.installed, 1, f"SN-{number:02}")
    mail = mail_with_licenses(cast, chain.installed)
    ((name, content),) = files_of(mail)
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        assert (name, len(files.namelist())) == ("licenses.zip", 11)
    monkeypatch.setattr("entitlements.activation.services.licenses.MAX_ATTACHED_LICENSES", 9)
    assert len(files_of(mail)) == 9
    message = render(mail)
    assert message is not None
    assert "2 more files can be downloaded from the portal" in message.text


def test_undo_names_what_is_in_its_way(cast: Cast, chain: Chain) -> None:
    """E8, L4: parties read which device holds the copies, and can return them; then undo works."""
    put_on(cast, chain.served, 2)
    activation = Activation.objects.get()
    client = client_of(cast.installer)
    undo = reverse("line_item_undo", args=[chain.served.pk])
    link = f"{reverse('activation_return', args=[activation.pk])}?back="
    for address in (undo, reverse("line_item_detail", args=[chain.served.pk])):
        page = html_of(client.get(address))
        assert MAC in page
        assert f"{link}{address}" in page
    give_back(cast, 2)
    assert link not in html_of(client.get(undo))
    client.post(undo, {"key": new_key(), "copies": "5"})
    assert balances(chain.served) == (0, 0, 0)


def test_undo_by_the_seller_who_does_not_activate(cast: Cast, chain: Chain) -> None:
    """E13: the distributor reads which device of the installer holds copies, and cannot return them."""
    put_on(cast, chain.installed, 2)
    page = html_of(client_of(cast.distributor).get(reverse("line_item_undo", args=[chain.installed.pk])))
    assert MAC in page
    assert "/return/" not in page
    assert "/devices/" not in page.partition("<main")[2]


@pytest.mark.slow
def test_home_shows_devices(cast: Cast, chain: Chain) -> None:
    """Home shows the five newest devices, their copies, and how many devices there are."""
    for number in range(6):
        put_on(cast, chain.installed, 1, f"SN-{number}")
    response = client_of(cast.installer).get("/")
    home = response.context["this"]
    assert [row.host_id for row in home.devices] == [f"SN-{number}" for number in (5, 4, 3, 2, 1)]
    assert home.devices_count == "6"
    assert "6 activated" in html_of(response)
    assert client_of(cast.distributor).get("/").context["this"].devices == []


def test_the_list_shows_what_is_activated(cast: Cast, chain: Chain) -> None:
    """E4, E12: also for readers who do not see the devices."""
    put_on(cast, chain.served, 2)
    for person in (cast.installer, cast.distributor):
        assert "2 activated" in html_of(client_of(person).get("/entitlements/"))


def test_a_move_counts_devices(cast: Cast, chain: Chain) -> None:
    """A7: devices are transferred with the account."""
    put_on(cast, chain.served, 2)
    address = reverse("account_move", args=[cast.customer.pk])
    page = client_of(cast.mobotix).get(address, {"seller": cast.other_installer.account_id})
    assert page.context["devices"] == 1


def test_obsolete_items_bring_no_files(cast: Cast, chain: Chain) -> None:
    """E3: licenses of obsolete items have ended, and are not mailed."""
    put_on(cast, chain.served)
    change_state(
        actor=cast.mobotix, item_id=chain.served.pk, state=State.OBSOLETE, reason="Fraud", key=new_key()
    )
    assert not License.objects.valid().exists()
    page = html_of(client_of(cast.installer).get(reverse("line_item_activations", args=[chain.served.pk])))
    assert "no valid license" in page
