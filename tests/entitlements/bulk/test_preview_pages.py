"""The preview of a bulk split: wrong lines are marked and corrected; a large one shows its progress."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Tier
from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.bulk.services.jobs import work_on
from entitlements.models import BulkSplit, BulkState, LineItem
from mxportal.shared.forms import new_key
from tests.entitlements.bulk.pages import address, page_of, row_for, seen, started, table, upload
from tests.entitlements.pages import client_of, errors_of, html_of
from tests.factories import Cast, make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.distributor)


# --- Correcting -------------------------------------------------------------------------------------------------------


def test_bad_lines_are_marked_and_corrected(client: Client, item: LineItem, cast: Cast) -> None:
    """Each with its reason at its field; no "Split all" before all are right."""
    rows = [row_for(cast, 1), row_for(cast, "1.0"), row_for(cast, 2, account_id="NOBODY")]
    bulk = started(client, address(item), table(*rows))
    html = page_of(client, bulk)
    assert "2 of 3 lines must be corrected" in html
    assert "Enter a whole number, for example 5 or 2,000." in html
    assert 'aria-describedby="error-0-amount"' in html
    assert "Split all" not in html

    data = table(row_for(cast, 4) | {"index": 1, "number": 2}, {"index": 2, "number": 3, "out": "on"})
    client.post(reverse("bulk_split_correct", args=[bulk.pk]), data | seen(bulk))
    html = page_of(client, bulk)
    assert "All 2 lines are correct" in html
    assert "Split all" in html


def test_sums_stand_at_the_source(client: Client, item: LineItem, cast: Cast) -> None:
    """E6: taken of available, and "Change the lines" brings all of them back into the table."""
    bulk = started(client, address(item), table(row_for(cast, 60), row_for(cast, 61)))
    html = page_of(client, bulk)
    assert "Together the lines take 121, but only 100 copies are available." in html
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
    client.post(reverse("bulk_split_correct", args=[bulk.pk]), seen(bulk) | {"create_customers": "on"})
    assert "1 new end customer is created" in page_of(client, bulk)
    client.post(reverse("bulk_split_carry_out", args=[bulk.pk]), seen(bulk))
    assert bulk.items.get().owner == Account.objects.get(name="Museum")


def test_what_a_service_refuses_is_a_message(client: Client, item: LineItem, cast: Cast) -> None:
    """Two windows: the second one's "Split all" meets what is done already."""
    bulk = started(client, address(item), table(row_for(cast)))
    where = reverse("bulk_split_carry_out", args=[bulk.pk])
    client.post(where, seen(bulk))
    assert "has changed in the meantime" in html_of(client.post(where, {"key": new_key()}, follow=True))
    assert item.splits.count() == 1


# --- Large ones -------------------------------------------------------------------------------------------------------


def test_a_large_one_shows_its_progress(
    client: Client, item: LineItem, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """htmx asks every second; without JavaScript there is a link."""
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)
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
    first = page_of(client, bulk, page="x")
    assert "1 to 100 of 150" in first
    assert "Next page" in first


def test_two_windows(client: Client, item: LineItem, cast: Cast) -> None:
    """E7: what is corrected in one is not split from the other, which shows it then."""
    bulk = started(client, address(item), table(row_for(cast, 1)))
    shown = seen(bulk)
    assert f'name="seen" value="{shown["seen"]}"' in page_of(client, bulk)
    data = table(row_for(cast, 44) | {"index": 0, "number": 1}) | seen(bulk)
    client.post(reverse("bulk_split_correct", args=[bulk.pk]), data)
    html = html_of(client.post(reverse("bulk_split_carry_out", args=[bulk.pk]), shown, follow=True))
    assert "The lines were changed after this page was opened." in html
    assert "44" in html
    assert not item.splits.exists()


def test_a_refused_correction_keeps_what_was_typed(client: Client, item: LineItem, cast: Cast) -> None:
    """Nothing that was typed is lost: no line is left in, or a character cannot be kept."""
    bulk = started(client, address(item), table(row_for(cast, "x"), row_for(cast, "y")))
    where = reverse("bulk_split_correct", args=[bulk.pk])
    rows = [row_for(cast, 7 + n) | {"index": n, "number": n + 1, "out": "on"} for n in range(2)]
    html = html_of(client.post(where, table(*rows) | seen(bulk) | {"create_customers": "on"}))
    assert "Keep at least one line." in html
    for n in range(2):
        assert f'name="lines-{n}-amount" value="{7 + n}"' in html
        assert f'name="lines-{n}-out" checked' in html
    assert re.search(r'name="create_customers"[^>]* checked', html)
    rows = [row_for(cast, 3) | {"index": 0, "number": 1, "email": "a\x00b"}]
    html = html_of(client.post(where, table(*rows) | seen(bulk)))
    assert "Line 1 contains a character that cannot be stored." in html
    assert 'name="lines-0-amount" value="3"' in html
    assert 'name="lines-1-amount" value="y"' in html  # was not sent, and is as it is
    assert "checked" not in html.partition("Lines to correct")[2].partition("</form>")[0]


def test_a_correction_from_an_old_window(client: Client, item: LineItem, cast: Cast) -> None:
    """E7: it changes nothing, but stands in the lines that are still wrong, wherever they are now."""
    bulk = started(client, address(item), table(*(row_for(cast, wrong) for wrong in ("x", "y", "z"))))
    where, old = reverse("bulk_split_correct", args=[bulk.pk]), seen(bulk)
    first = [row_for(cast) | {"index": 0, "number": 1, "out": "on"}]
    first += [row_for(cast, 2) | {"index": 1, "number": 2}]
    client.post(where, table(*first) | seen(bulk))
    rows = [row_for(cast, 10 + n) | {"index": n, "number": n + 1} for n in range(3)]
    html = html_of(client.post(where, table(*rows) | old))
    assert "Your input is kept in the lines that are still wrong." in html
    assert 'name="lines-0-number" value="3"' in html
    assert 'name="lines-0-amount" value="12"' in html
    assert 'name="lines-1-amount"' not in html
    assert [line["amount"] for line in BulkSplit.objects.get(pk=bulk.pk).lines] == ["2", "z"]
    assert f'name="seen" value="{seen(bulk)["seen"]}"' in html


@pytest.mark.slow
def test_pages_of_lines_under_a_refused_correction(client: Client, item: LineItem, cast: Cast) -> None:
    """They lead to the bulk split's own address: the one of the correction takes forms only."""
    text = f"\n{cast.installer.account.account_id}\t{cast.installer.email}\tx" * 120
    bulk = started(client, address(item), {"way": "paste", "key": new_key(), "text": text})
    html = html_of(client.post(reverse("bulk_split_correct", args=[bulk.pk]), {"key": new_key()}))
    assert f'href="{reverse("bulk_split_detail", args=[bulk.pk])}?page=2"' in html


def test_accounts_and_contacts_are_suggested_here_too(client: Client, item: LineItem, cast: Cast) -> None:
    """E6: those that can be split to, and no one else's (A4)."""
    gone = make_account(Tier.INSTALLER, "Gone", sellers=(cast.distributor.account,), status="inactive")
    bulk = started(client, address(item), table(row_for(cast, "x")))
    for html in (page_of(client, bulk), html_of(client.get(address(item)))):
        assert f'<option value="{cast.sibling_installer.account.account_id}">Sibling Alarms</option>' in html
        assert f'<option value="{cast.sibling_installer.email}">' in html
        assert gone.account_id not in html
        assert cast.other_installer.account.account_id not in html


def test_a_draft_is_discarded_after_a_question(client: Client, item: LineItem, cast: Cast) -> None:
    """A6: right or wrong; it stays in the list by its state."""
    for amount in (1, "x"):
        bulk = started(client, address(item), table(row_for(cast, amount)))
        where = reverse("bulk_split_discard", args=[bulk.pk])
        assert f'href="{where}"' in page_of(client, bulk)
        assert "1 line is deleted, and nothing is split." in html_of(client.get(where))
        html = html_of(client.post(where, {"key": new_key()}, follow=True))
        assert "The bulk split was discarded. Nothing was split." in html
        assert "Discarded" in html
        assert "was discarded before anything was split" in page_of(client, bulk)
        assert "There is nothing to discard" in html_of(client.get(where))


@pytest.mark.parametrize(
    ("amounts", "sentence"),
    [
        ([1], "1 copy is split. 1 line item is created, with its own Activation ID."),
        ([2, 3], "5 copies are split. 2 line items are created, each with its own Activation ID."),
    ],
)
def test_what_happens_in_words(
    client: Client, item: LineItem, cast: Cast, amounts: list[int], sentence: str
) -> None:
    """One and many, before, after, and on the way back."""
    bulk = started(client, address(item), table(*[row_for(cast, amount) for amount in amounts]))
    assert sentence in words(page_of(client, bulk))
    client.post(reverse("bulk_split_carry_out", args=[bulk.pk]), seen(bulk))
    one = amounts == [1]
    made = "New line items: 1 · Copies: 1" if one else "New line items: 2 · Copies: 5"
    assert made in words(page_of(client, bulk))
    asked = words(html_of(client.get(reverse("bulk_split_undo", args=[bulk.pk]))))
    back = (
        "1 copy goes back to the line item that it was split from."
        if one
        else "5 copies go back to the line items that they were split from."
    )
    assert back in asked


def words(html: str) -> str:
    return " ".join(html.split())


def test_every_line_to_correct_has_the_same_columns(client: Client, item: LineItem, cast: Cast) -> None:
    """Where one of them names a source that was not ticked, all of them show theirs."""
    content = "Account ID,Contact e-mail,Amount,Activation ID\n" + "".join(
        f"{cast.installer.account.account_id},{cast.installer.email},x,{source}\n" for source in ("", "7KQ4")
    )
    bulk = started(client, address(item), upload(content.encode()))
    html = page_of(client, bulk)
    assert html.count('name="lines-0-activation_id"') == html.count('name="lines-1-activation_id"') == 1


def test_changed_lines_take_the_draft_s_place(client: Client, item: LineItem, cast: Cast) -> None:
    """E7: of the lines before and the changed ones, only one can be split."""
    draft = started(client, address(item), table(row_for(cast, 1)))
    where = reverse("bulk_split_create", query={"again": draft.pk})
    bulk = started(client, where, table(row_for(cast, 2)))
    draft.refresh_from_db()
    assert (draft.state, bulk.state) == (BulkState.DISCARDED, BulkState.READY)
    again = started(client, where, table(row_for(cast, 3)))  # Back, and once more
    client.post(reverse("bulk_split_carry_out", args=[again.pk]), seen(again))
    where = reverse("bulk_split_create", query={"again": again.pk})
    response = client.post(where, table(row_for(cast, 4)))
    assert errors_of(response)["__all__"][0].startswith("This bulk split has changed in the meantime.")
    assert item.splits.count() == 1


def test_another_file_takes_the_draft_s_place(client: Client, item: LineItem, cast: Cast) -> None:
    """E7: the same, from the preview's link to the file."""
    draft = started(client, address(item), table(row_for(cast, "x")))
    where = reverse("bulk_split_create", query={"again": draft.pk, "way": "file"})
    assert f'href="{where}"'.replace("&", "&amp;") in page_of(client, draft)
    assert '<details class="mx-card" name="way" open>\n      <summary><h2>Upload a file' in html_of(
        client.get(where)
    )
    person = cast.installer
    started(
        client,
        where,
        upload(f"Account ID,E-mail,Amount\n{person.account.account_id},{person.email},1".encode()),
    )
    draft.refresh_from_db()
    assert draft.state == BulkState.DISCARDED
