"""The result of a bulk split: downloads, "Email all", "Undo all"."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from entitlements.models import LineItem
from mxportal.shared.forms import new_key
from mxportal.shared.spreadsheets import disarm, export
from notifications.models import Mail
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.entitlements.pages import client_of, errors_of, html_of
from tests.factories import Cast, make_account, make_contact, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.distributor)


def test_downloads_name_every_new_item(client: Client, item: LineItem, cast: Cast) -> None:
    """E5: the seller who minted the IDs reads them in full."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 2, order_number="+49")])
    new = bulk.items.get()
    response = client.get(reverse("bulk_split_download", args=[bulk.pk, "csv"]))
    assert response.content.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")))
    assert row["Activation ID"] == new.activation_id
    assert row["Contact e-mail"] == cast.installer.email
    assert row["Order number of the buyer"] == "'+49"
    assert row["Split from"] == item.activation_id

    response = client.get(reverse("bulk_split_download", args=[bulk.pk, "xlsx"]))
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert [cell.value for cell in sheet[2]][:5:4] == [new.activation_id, 2]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1"])
@pytest.mark.parametrize("wide", [False, True])
def test_formulas_are_disarmed(text: str, wide: bool) -> None:
    """The forms of full width count as theirs."""
    if wide:
        text = text.translate(str.maketrans("=+-@", "＝＋－＠"))
    assert disarm(text) == f"'{text}"


def test_every_cell_is_quoted() -> None:
    """A spreadsheet that splits at another delimiter than ours finds no formula behind it."""
    header, row, rest = export(["a"], [["a;=1+1"]], "csv").decode("utf-8-sig").split("\r\n")
    assert (header, row, rest) == ('"a"', '"a;=1+1"', "")


def test_harmless_texts_stay() -> None:
    assert [disarm(text) for text in ("", "A-1", "7KQ4", "1=1")] == ["", "A-1", "7KQ4", "1=1"]


def test_a_customer_s_name_cannot_be_a_formula(client: Client, item: LineItem, cast: Cast) -> None:
    """Whoever chose the name: in the file it is a text."""
    evil = make_contact(make_account("installer", '=HYPERLINK("x")', sellers=(cast.distributor.account,)))
    bulk = split_bulk(cast.distributor, [item], [line_for(evil, 2)])
    content = client.get(reverse("bulk_split_download", args=[bulk.pk, "xlsx"])).content
    sheet = load_workbook(io.BytesIO(content)).active
    assert '\'=HYPERLINK("x")' in [cell.value for cell in sheet[2]]
    assert all(cell.data_type != "f" for cell in sheet[2])


def test_email_all(client: Client, item: LineItem, cast: Cast) -> None:
    """E9: one click; a second one with the same key changes nothing."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer), line_for(cast.sibling_installer)])
    data = {"key": new_key()}
    for _ in range(2):
        html = html_of(client.post(reverse("bulk_split_email", args=[bulk.pk]), data, follow=True))
    assert "on their way" in html
    assert Mail.objects.count() == 2


def test_undo_all_asks_then_does(client: Client, item: LineItem, cast: Cast) -> None:
    """E8."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 2), line_for(cast.installer, 3)])
    where = reverse("bulk_split_undo", args=[bulk.pk])
    assert "5 copies go back to the line items that they were split from." in html_of(client.get(where))
    html = html_of(client.post(where, {"key": new_key()}, follow=True))
    assert "This bulk split was undone" in html
    item.refresh_from_db()
    assert item.available == 100
    assert "There is nothing to undo" in html_of(client.get(where))


def test_what_stands_in_the_way_is_named(client: Client, item: LineItem, cast: Cast) -> None:
    """E8, A4: which split, as far as the reader may see it; the name of the buyer's customer is withheld."""
    bulk = split_bulk(
        cast.distributor, [item], [line_for(cast.installer, 2), line_for(cast.sibling_installer)]
    )
    bought = bulk.items.get(owner=cast.installer.account)
    split_item(cast.installer, bought, cast.customer, copies=1)
    where = reverse("bulk_split_undo", args=[bulk.pk])
    html = html_of(client.get(where))
    assert "Not all copies of 1 line item can come back" in html
    assert "Name withheld" in html
    assert cast.customer.name not in html
    response = client.post(where, {"key": new_key()})
    assert errors_of(response)["__all__"][0].startswith("Not all copies can come back")


def test_mobotix_undoes_with_a_reason(item: LineItem, cast: Cast) -> None:
    """E8, E13: it sees what was carried out, and no drafts of others."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 2)])
    client = client_of(cast.mobotix)
    where = reverse("bulk_split_undo", args=[bulk.pk])
    assert list(errors_of(client.post(where, {"key": new_key(), "reason": ""}))) == ["reason"]
    assert client.post(where, {"key": new_key(), "reason": "agreed"}).status_code == 302
    assert "Nordlicht Distribution" in html_of(client.get(reverse("bulk_split_list")))
