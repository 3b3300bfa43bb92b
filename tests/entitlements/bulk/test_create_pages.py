"""The page on which the lines of a bulk split come in: by table, file or text."""

import csv
import re

import pytest
from django.test import Client
from django.urls import reverse

from entitlements.bulk.services.jobs import has_errors
from entitlements.models import BulkState, LineItem
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.bulk.pages import address, page_of, row_for, seen, started, table, upload
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, issue_item, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.distributor)


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
    assert "All 2 lines are correct" in html
    assert cast.installer.account.name in html
    assert 'name="send_mail" class="checkboxinput form-check-input" id="id_send_mail" checked' in html
    assert LineItem.objects.count() == 1

    data = seen(bulk) | {"send_mail": "on"}
    response = client.post(reverse("bulk_split_carry_out", args=[bulk.pk]), data, follow=True)
    html = html_of(response)
    assert "All lines are split" in html
    for new in bulk.items.all():
        assert new.activation_id in html
    assert Mail.objects.count() == 2


@pytest.mark.slow
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
    for number in ("9", "9" * 5000, "x", ""):
        assert 'value="many"' in html_of(client.post(address(item), typed | {"step": f"remove:{number}"}))


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


def test_a_pasted_text_has_the_order_of_the_screen(client: Client, item: LineItem, cast: Cast) -> None:
    """Of one item nobody names the Activation ID: neither the table, nor the template, nor a text without a header."""
    page = html_of(client.get(address(item)))
    columns = re.findall(r'<th scope="col">([^<]+)</th>', page.partition('id="lines"')[2])
    assert columns == ["Account ID", "Contact e-mail", "Amount", "Order number of the buyer"]
    assert f"in this order: {', '.join(columns)}, Account name" in page
    template = client.get(reverse("bulk_split_template", args=["csv"]), {"item": item.pk})
    (header,) = csv.reader([template.content.decode("utf-8-sig").splitlines()[0]])
    assert header[:4] == columns
    text = f"{cast.installer.account.account_id}\t{cast.installer.email}\t5\tPO-88"
    bulk = started(client, address(item), {"way": "paste", "key": new_key(), "text": text})
    assert bulk.lines[0]["order_number"] == "PO-88"
    assert not has_errors(bulk)


def test_a_draft_with_wrong_lines_is_not_ready(client: Client, item: LineItem, cast: Cast) -> None:
    """The list says "To be corrected" of it, without reading what is wrong."""
    started(client, address(item), table(row_for(cast) | {"amount": "many"}))
    page = html_of(client.get(reverse("bulk_split_list")))
    assert "To be corrected" in page
    assert "Ready to split" not in page
    started(client, address(item), table(row_for(cast)))
    assert "Ready to split" in html_of(client.get(reverse("bulk_split_list")))


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


# --- Characters that no database keeps --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_nul_gets_a_sentence(client: Client, item: LineItem, cast: Cast) -> None:
    """Typed by a program, pasted, or in a correction: never a failure of the database."""
    kept = "Line 1 contains a character that cannot be stored. Type it again."
    for name in ("account_id", "email", "amount", "order_number"):
        response = client.post(address(item), table(row_for(cast) | {name: "A\x00B"}))
        assert errors_of(response) == {"__all__": [kept]}
    response = client.post(
        address(item), {"way": "paste", "key": new_key(), "text": "A\x00B\ta@b.example\t1"}
    )
    assert list(errors_of(response)) == ["text"]
    bulk = started(client, address(item), table(row_for(cast, "x")))
    data = table(row_for(cast, "1\x00") | {"index": 0, "number": 1}) | seen(bulk)
    response = client.post(reverse("bulk_split_correct", args=[bulk.pk]), data, follow=True)
    assert kept in html_of(response)


def test_a_form_that_lacks_its_key_says_so(client: Client, item: LineItem, cast: Cast) -> None:
    """E7: never does nothing without a word."""
    bulk = started(client, address(item), table(row_for(cast)))
    for name in ("bulk_split_correct", "bulk_split_carry_out"):
        html = html_of(client.post(reverse(name, args=[bulk.pk]), {}, follow=True))
        assert "This field is required." in html
