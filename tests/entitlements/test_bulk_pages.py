"""Bulk split, page by page: lines come in by table, file or text, are corrected, split, mailed and taken back."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Account
from entitlements.bulk_export import disarm
from entitlements.models import BulkSplit, BulkState, LineItem
from entitlements.services import bulk_jobs
from entitlements.services.bulk_jobs import work_on
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.bulk import line_for, make_buyers, split_bulk
from tests.entitlements.pages import assert_statuses, client_of, html_of
from tests.factories import Cast, issue_item, make_account, make_cast, make_contact, make_user, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def item(cast: Cast) -> LineItem:
    return issue_item(cast)


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.distributor)


def address(*items: LineItem) -> str:
    return reverse("bulk_split_create", query={"item": [item.pk for item in items]})


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    """The table on the screen, as the browser sends it."""
    fields = {f"lines-{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}
    return {"way": "table", "key": new_key(), "lines-total": len(rows), **fields}


def row_for(cast: Cast, amount: Any = 2, **fields: Any) -> dict[str, Any]:
    return {
        "account_id": cast.installer.account.account_id,
        "email": cast.installer.email,
        "amount": amount,
    } | fields


def upload(content: bytes, name: str = "lines.csv") -> dict[str, Any]:
    return {"way": "file", "key": new_key(), "file": SimpleUploadedFile(name, content)}


def started(client: Client, where: str, data: dict[str, Any]) -> BulkSplit:
    """Send it, and the bulk split that its answer leads to."""
    response = client.post(where, data)
    assert response.status_code == 302, errors_of(response)
    return BulkSplit.objects.get(pk=response["Location"].rstrip("/").rpartition("/")[2])


def errors_of(response: Any) -> dict[str, list[str]]:
    return {name: list(errors) for name, errors in response.context["form"].errors.items()}


def page_of(client: Client, bulk: BulkSplit, **query: Any) -> str:
    return html_of(client.get(reverse("bulk_split_detail", args=[bulk.pk]), query))


# --- The way in -------------------------------------------------------------------------------------------------------


def test_the_list_s_menu_takes_all_that_are_ticked(client: Client, item: LineItem, cast: Cast) -> None:
    """Several line items, or one; none is answered with what to do."""
    other = issue_item(cast)
    go = reverse("line_item_go", args=["bulk"])
    assert client.get(go, {"item": [item.pk, other.pk]})["Location"] == address(item, other)
    html = html_of(client.get(go, follow=True))
    assert "Tick the line items that you want to split" in html
    assert f'formaction="{go}"' in html


def test_the_first_page_shows_items_and_three_ways(client: Client, item: LineItem, cast: Cast) -> None:
    """The sources with what is available; the table asks for the source where there are several only."""
    html = html_of(client.get(address(item)))
    for text in (item.activation_id, "Type the lines", "Upload a file", "Paste from a spreadsheet"):
        assert text in html
    assert "lines-0-activation_id" not in html
    assert cast.installer.account.account_id in html  # to choose from while typing
    assert "lines-0-activation_id" in html_of(client.get(address(item, issue_item(cast))))


def test_whose_items_they_are(cast: Cast, item: LineItem) -> None:
    """E6, E12: strangers' items are not there; those that one only sees cannot be split by one."""
    bought = split_item(cast.distributor, item, cast.installer.account)
    assert_statuses(
        address(item),
        [
            (cast.distributor, 200),
            (cast.mobotix, 403),
            (cast.other_distributor, 404),
            (cast.distributor_viewer, 403),
        ],
    )
    html = html_of(client_of(cast.distributor).get(address(item, bought)))
    assert "were left out" in html
    assert bought.activation_id not in html


def test_no_one_else_s_people_are_suggested(client: Client, item: LineItem, cast: Cast) -> None:
    """A4: neither accounts nor addresses of other sellers' buyers."""
    html = html_of(client.get(address(item)))
    assert cast.other_installer.account.name not in html
    assert cast.other_installer.email not in html


# --- The table --------------------------------------------------------------------------------------------------------


def test_from_table_over_preview_to_result(client: Client, item: LineItem, cast: Cast) -> None:
    """E7: the preview writes nothing; "Send e-mail" is ticked; the result shows every new Activation ID."""
    bulk = started(client, address(item), table(row_for(cast), {}, row_for(cast, 3, order_number="PO 1")))
    html = page_of(client, bulk)
    assert "2 lines, and all of them are right" in html
    assert cast.installer.account.name in html
    assert 'name="send_mail" class="checkboxinput form-check-input" id="id_send_mail" checked' in html
    assert LineItem.objects.count() == 1

    data = {"key": new_key(), "send_mail": "on"}
    response = client.post(reverse("bulk_split_carry_out", args=[bulk.pk]), data, follow=True)
    html = html_of(response)
    assert "All lines are split" in html
    for new in bulk.items.all():
        assert new.activation_id in html
    assert Mail.objects.count() == 2


def test_lines_are_added_and_removed_and_nothing_is_lost(client: Client, item: LineItem, cast: Cast) -> None:
    """Without JavaScript, too: what was typed stands there again, also the text and the tick."""
    typed = table(row_for(cast, "many"), row_for(cast, 7)) | {"text": "<b>", "create_customers": "on"}
    html = html_of(client.post(address(item), typed | {"step": "add"}))
    assert "lines-2-account_id" in html
    assert 'value="many"' in html
    assert "&lt;b&gt;" in html
    assert f'name="key" value="{typed["key"]}"' in html
    assert 'name="create_customers" class="form-check-input" id="id_create_customers" checked' in html
    html = html_of(client.post(address(item), typed | {"step": "remove:0"}))
    assert 'value="many"' not in html
    assert 'value="7"' in html


def test_a_table_without_lines(client: Client, item: LineItem) -> None:
    assert errors_of(client.post(address(item), table({}, {}))) == {"__all__": ["Enter at least one line."]}


def test_a_double_click_makes_one(client: Client, item: LineItem, cast: Cast) -> None:
    """E7."""
    data = table(row_for(cast))
    assert started(client, address(item), data) == started(client, address(item), data)


# --- Files and texts --------------------------------------------------------------------------------------------------


def test_from_file_to_preview(client: Client, item: LineItem, cast: Cast) -> None:
    content = f"Konto-ID;E-Mail;Anzahl\n{cast.installer.account.account_id};{cast.installer.email};5"
    bulk = started(client, address(item), upload(content.encode("cp1252"), "Käufer.csv"))
    assert (bulk.file_name, bulk.copies, bulk.state) == ("Käufer.csv", 5, BulkState.READY)


def test_what_is_wrong_with_a_file_stands_at_its_field(client: Client, item: LineItem) -> None:
    """The sentences themselves are test_bulk_files'."""
    for content, name in ((b"", "a.csv"), (b"x", "a.pdf"), (b"PK", "a.xlsx"), (b"Account ID\nA", "a.csv")):
        response = client.post(address(item), upload(content, name))
        assert list(errors_of(response)) == ["file"]
        assert '<details class="mx-card" name="way" open>\n      <summary><h2>Upload a file' in html_of(
            response
        )
    assert errors_of(client.post(address(item), {"way": "file", "key": "k"})) == {"file": ["Choose a file."]}


def test_from_text_to_preview(client: Client, item: LineItem, cast: Cast) -> None:
    text = f"{cast.installer.account.account_id}\t{cast.installer.email}\t5"
    bulk = started(client, address(item), {"way": "paste", "key": new_key(), "text": text})
    assert (bulk.origin, bulk.copies) == ("paste", 5)
    response = client.post(address(item), {"way": "paste", "key": new_key(), "text": " "})
    assert list(errors_of(response)) == ["text"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_can_be_filled_in_and_uploaded(
    client: Client, item: LineItem, cast: Cast, kind: str
) -> None:
    """It brings every column, and a line for each of several items."""
    other = issue_item(cast)
    where = reverse("bulk_split_template", args=[kind], query={"item": [item.pk, other.pk]})
    response = client.get(where)
    assert f'attachment; filename="bulk-split-template.{kind}"' in response["Content-Disposition"]
    bulk = started(client, address(item, other), upload(response.content, f"t.{kind}"))
    assert [row["activation_id"] for row in bulk.lines] == [item.activation_id, other.activation_id]


# --- Correcting -------------------------------------------------------------------------------------------------------


def test_bad_lines_are_marked_and_corrected(client: Client, item: LineItem, cast: Cast) -> None:
    """Each with its reason at its field; no "Split all" before all are right."""
    rows = [row_for(cast, 1), row_for(cast, "1.0"), row_for(cast, 2, account_id="NOBODY")]
    bulk = started(client, address(item), table(*rows))
    html = page_of(client, bulk)
    assert "2 of 3 lines must be corrected" in html
    assert "Enter a whole number without dots" in html
    assert 'aria-describedby="error-0-amount"' in html
    assert "Split all" not in html

    data = table(row_for(cast, 4) | {"index": 1, "number": 2}, {"index": 2, "number": 3, "out": "on"})
    client.post(reverse("bulk_split_correct", args=[bulk.pk]), data)
    html = page_of(client, bulk)
    assert "2 lines, and all of them are right" in html
    assert "Split all" in html


def test_sums_stand_at_the_source(client: Client, item: LineItem, cast: Cast) -> None:
    """E6: taken of available, and "Change the lines" brings all of them back into the table."""
    bulk = started(client, address(item), table(row_for(cast, 60), row_for(cast, 61)))
    html = page_of(client, bulk)
    assert "The lines take 121 copies together, but only 100 copies are available." in html
    assert "Split all" not in html
    again = html_of(client.get(reverse("bulk_split_create", query={"again": bulk.pk})))
    assert 'value="60"' in again
    assert 'value="61"' in again


def test_many_lines_come_back_as_a_text(client: Client, item: LineItem, cast: Cast) -> None:
    """More than the table holds."""
    rows = "".join(f"\n{cast.installer.account.account_id}\t{cast.installer.email}\t1\tx" for _ in range(60))
    bulk = started(
        client, address(item), {"way": "paste", "key": new_key(), "text": rows.replace("\tx", "\t")}
    )
    html = html_of(client.get(reverse("bulk_split_create", query={"again": bulk.pk})))
    assert html.count(f"{cast.installer.email}\t1") == 60


def test_new_customers_are_announced_and_made(client: Client, item: LineItem, cast: Cast) -> None:
    """A2: without the tick they are errors; it can be set in the preview."""
    row = row_for(cast, 2, account_id="MUSEUM", email="clara@museum.example")
    row |= {"account_name": "Museum", "country": "Germany", "first_name": "Clara", "last_name": "Weiß"}
    bulk = started(client, address(item), table(row))
    assert "This is not the Account ID of an active account" in page_of(client, bulk)
    client.post(reverse("bulk_split_correct", args=[bulk.pk]), {"key": new_key(), "create_customers": "on"})
    assert "1 new end customer is created" in page_of(client, bulk)
    client.post(reverse("bulk_split_carry_out", args=[bulk.pk]), {"key": new_key()})
    assert bulk.items.get().owner == Account.objects.get(name="Museum")


def test_what_a_service_refuses_is_a_message(client: Client, item: LineItem, cast: Cast) -> None:
    """Two windows: the second one's "Split all" meets what is done already."""
    bulk = started(client, address(item), table(row_for(cast)))
    where = reverse("bulk_split_carry_out", args=[bulk.pk])
    client.post(where, {"key": new_key()})
    assert "has gone on meanwhile" in html_of(client.post(where, {"key": new_key()}, follow=True))
    assert item.splits.count() == 1


# --- Large ones -------------------------------------------------------------------------------------------------------


def test_a_large_one_shows_its_progress(
    client: Client, item: LineItem, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """htmx asks every second; without JavaScript there is a link."""
    monkeypatch.setattr(bulk_jobs, "AT_ONCE", 0)
    bulk = started(client, address(item), table(row_for(cast)))
    html = page_of(client, bulk)
    assert "<progress" in html
    assert 'data-hx-trigger="every 1s"' in html
    assert "Refresh" in html
    work_on(bulk.pk)
    assert "<progress" not in page_of(client, bulk)


def test_pages_of_lines(client: Client, item: LineItem, cast: Cast) -> None:
    """A hundred a page; a number that is none gives the first or last one."""
    text = f"\n{cast.installer.account.account_id}\t{cast.installer.email}\t1" * 150
    bulk = started(client, address(item), {"way": "paste", "key": new_key(), "text": text})
    assert "101 to 150 of 150" in page_of(client, bulk, page=2)
    assert "101 to 150 of 150" in page_of(client, bulk, page=99)
    assert "1 to 100 of 150" in page_of(client, bulk, page="x")


# --- The result -------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_formulas_are_disarmed(text: str) -> None:
    assert disarm(text) == f"'{text}"


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
    assert "5 copies of 2 line items go back" in html_of(client.get(where))
    html = html_of(client.post(where, {"key": new_key()}, follow=True))
    assert "This bulk split was undone" in html
    item.refresh_from_db()
    assert item.available == 100
    assert "There is nothing to take back" in html_of(client.get(where))


def test_what_stands_in_the_way_is_named(client: Client, item: LineItem, cast: Cast) -> None:
    """E8, A4: which split, as far as the reader may see it; the name of the buyer's customer is withheld."""
    bulk = split_bulk(
        cast.distributor, [item], [line_for(cast.installer, 2), line_for(cast.sibling_installer)]
    )
    bought = bulk.items.get(owner=cast.installer.account)
    split_item(cast.installer, bought, cast.customer, copies=1)
    where = reverse("bulk_split_undo", args=[bulk.pk])
    html = html_of(client.get(where))
    assert "1 line item cannot come back as a whole" in html
    assert "Name withheld" in html
    assert cast.customer.name not in html
    response = client.post(where, {"key": new_key()})
    assert errors_of(response)["__all__"][0].startswith("Not everything can come back")


def test_mobotix_undoes_with_a_reason(item: LineItem, cast: Cast) -> None:
    """E8, E13: it sees what was carried out, and no drafts of others."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer, 2)])
    client = client_of(cast.mobotix)
    where = reverse("bulk_split_undo", args=[bulk.pk])
    assert list(errors_of(client.post(where, {"key": new_key(), "reason": ""}))) == ["reason"]
    assert client.post(where, {"key": new_key(), "reason": "agreed"}).status_code == 302
    assert "Nordlicht Distribution" in html_of(client.get(reverse("bulk_split_list")))


# --- Who sees what ----------------------------------------------------------------------------------------------------


def test_another_s_bulk_split_is_not_there(client: Client, item: LineItem, cast: Cast) -> None:
    """E12: nor its draft, its file or its undo; the account's own people see it, with either role."""
    draft = started(client, address(item), table(row_for(cast)))
    done = split_bulk(cast.distributor, [item], [line_for(cast.installer)])
    colleague = make_user(cast.distributor.account)
    strangers = [(user, 404) for user in (cast.installer, cast.other_distributor)]
    inside = [(user, 200) for user in (cast.distributor, cast.distributor_viewer, colleague)]
    for bulk in (draft, done):
        mobotix = [(cast.mobotix, 200 if bulk == done else 404)]
        assert_statuses(reverse("bulk_split_detail", args=[bulk.pk]), strangers + inside + mobotix)
    assert_statuses(reverse("bulk_split_download", args=[done.pk, "csv"]), strangers + inside)
    assert_statuses(reverse("bulk_split_download", args=[draft.pk, "csv"]), [(cast.distributor, 404)])
    assert_statuses(reverse("bulk_split_download", args=[done.pk, "pdf"]), [(cast.distributor, 404)])
    assert_statuses(reverse("bulk_split_create", query={"again": draft.pk}), strangers[1:])
    html = html_of(client_of(cast.other_distributor).get(reverse("bulk_split_list")))
    assert "No bulk splits yet" in html


def test_who_only_views_gets_no_buttons(client: Client, item: LineItem, cast: Cast) -> None:
    """U3: the pages are theirs to read."""
    draft = started(client, address(item), table(row_for(cast)))
    done = split_bulk(cast.distributor, [item], [line_for(cast.installer)])
    viewer = client_of(cast.distributor_viewer)
    for bulk in (draft, done):
        html = page_of(viewer, bulk)
        assert "Split all" not in html
        assert "Email all" not in html
        assert "Undo all" not in html
    assert done.items.get().activation_id in html


# --- Queries ----------------------------------------------------------------------------------------------------------


def test_queries_do_not_grow(client: Client, cast: Cast) -> None:
    """One line or thirty, one bulk split or several: the same number of queries."""
    counts: dict[str, list[int]] = {}
    for number in (1, 30):
        item = issue_item(cast, quantity=1000)
        buyers = make_buyers(cast.distributor.account, number)
        done = split_bulk(cast.distributor, [item], [line_for(buyer) for buyer in buyers], send_mail=True)
        rows = [{"account_id": b.account.account_id, "email": b.email, "amount": 1} for b in buyers]
        draft = started(client, address(item), table(*rows))
        wrong = started(client, address(item), table(*[row | {"amount": "x"} for row in rows]))
        pages = {
            "create": address(item),
            "list": reverse("bulk_split_list"),
            "undo": reverse("bulk_split_undo", args=[done.pk]),
            "download": reverse("bulk_split_download", args=[done.pk, "csv"]),
        } | {
            name: reverse("bulk_split_detail", args=[bulk.pk])
            for name, bulk in (("done", done), ("draft", draft), ("wrong", wrong))
        }
        for name, where in pages.items():
            with CaptureQueriesContext(connection) as queries:
                assert client.get(where).status_code == 200
            counts.setdefault(name, []).append(len(queries))
    assert {name: few for name, (few, many) in counts.items() if few != many} == {}, counts
