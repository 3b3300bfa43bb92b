"""The pages of bulk splits: who sees what, and in how many queries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.models import LineItem
from tests.entitlements.bulk.making import line_for, make_buyers, split_bulk, start
from tests.entitlements.bulk.pages import address, page_of, row_for, started, table
from tests.entitlements.pages import assert_statuses, client_of, html_of
from tests.factories import Cast, issue_item, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.distributor)


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_the_page_of_a_job_reads_no_lines(
    client: Client, item: LineItem, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for each second, and ten thousand lines are some megabytes."""
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)
    bulk = start(cast, item, line_for(cast.installer))
    for where in (reverse("bulk_split_list"), reverse("bulk_split_detail", args=[bulk.pk])):
        with CaptureQueriesContext(connection) as queries:
            client.get(where)
        asked = [query["sql"] for query in queries if "entitlements_bulksplit" in query["sql"]]
        assert asked
        assert not any('"findings"' in sql for sql in asked)
