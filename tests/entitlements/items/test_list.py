"""List Entitlements: tabs, filters, order, keyset pages, the menus, and the number of queries."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from entitlements.models import LineItem, today
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, issue_item, make_chain, make_product, split_item, yesterday

pytestmark = pytest.mark.django_db
LIST = "/entitlements/"


def listed(client: Client, **query: Any) -> list[int]:
    """The primary keys that the list shows, in its order."""
    return [row.pk for row in client.get(LIST, query).context["rows"]]


@pytest.mark.slow
def test_the_tabs(cast: Cast) -> None:
    """Ours, Sold by us, Further down and All, for each tier."""
    chain = make_chain(cast)
    issued, installed, served = chain.issued.pk, chain.installed.pk, chain.served.pk
    expected = {
        cast.mobotix: {
            "ours": [],
            "sold": [issued],
            "below": [served, installed],
            "all": [served, installed, issued],
        },
        cast.distributor: {
            "ours": [issued],
            "sold": [installed],
            "below": [served],
            "all": [served, installed, issued],
        },
        cast.installer: {"ours": [installed], "sold": [served], "below": [], "all": [served, installed]},
    }
    for person, tabs in expected.items():
        client = client_of(person)
        assert {tab: listed(client, shown=tab) for tab in tabs} == tabs, str(person)
        assert listed(client) == tabs["all"]


def test_filters(cast: Cast) -> None:
    """Product, state, expired, expiring; an unknown choice filters nothing."""
    other = make_product()
    perpetual = issue_item(cast)
    soon = issue_item(cast, product_id=other.pk, expires_on=today() + timedelta(days=20))
    later = issue_item(cast, expires_on=today() + timedelta(days=80))
    over = issue_item(cast, starts_on=yesterday(), expires_on=yesterday())
    client = client_of(cast.distributor)
    assert listed(client, product=other.pk) == [soon.pk]
    assert listed(client, expiring="30") == [soon.pk]
    assert listed(client, expiring="90") == [later.pk, soon.pk]
    assert listed(client, state="expired") == [over.pk]
    assert listed(client, state="inactive") == []
    assert listed(client, sort="expiration") == [over.pk, soon.pk, later.pk, perpetual.pk]
    everything = [over.pk, later.pk, soon.pk, perpetual.pk]
    assert listed(client, state="nonsense", product="x", sort="owner", shown="?", expiring="1") == everything


@pytest.mark.parametrize("sort", ["newest", "expiration"])
def test_keyset_pages_forth_and_back(cast: Cast, settings: Any, sort: str) -> None:
    """Paging down shows every item once, paging back the same pages; also where many share a date."""
    settings.PAGE_SIZE = 3
    for number in range(8):
        issue_item(cast, expires_on=today() + timedelta(days=5) if number % 3 == 0 else None)
    client = client_of(cast.distributor)
    order = ["-id"] if sort == "newest" else ["expires_on", "id"]
    expected = list(LineItem.objects.order_by(*order).values_list("pk", flat=True))
    pages, url = [], f"{LIST}?sort={sort}"
    while url:
        response = client.get(url)
        pages.append([row.pk for row in response.context["rows"]])
        last, url = (
            response,
            LIST + response.context["page"].older_url if response.context["page"].older_url else "",
        )
    assert sum(pages, []) == expected
    back = []
    while last.context["page"].newer_url:
        last = client.get(LIST + last.context["page"].newer_url)
        back.append([row.pk for row in last.context["rows"]])
    assert back == pages[-2::-1]


def test_an_anchor_that_is_not_visible_is_none(cast: Cast) -> None:
    """E12: an invisible row in the address gives the first page."""
    foreign = issue_item(cast, cast.other_distributor.account)
    mine = issue_item(cast)
    assert listed(client_of(cast.distributor), after=foreign.pk) == [mine.pk]


@pytest.mark.slow
def test_the_list_has_a_fixed_number_of_queries(
    cast: Cast,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """As many queries for 30 rows as for 1, with filters and search, and on the pages of item and entitlement."""
    first = split_item(
        cast.distributor, issue_item(cast), cast.installer.account, copies=1, order_number="PO-1"
    )
    client = client_of(cast.distributor)
    addresses = [
        LIST,
        f"{LIST}?q=video&sort=expiration",
        "/",
        reverse("line_item_detail", args=[first.parent_id]),
    ]
    addresses.append(reverse("line_item_history", args=[first.parent_id]))
    before = {}
    for address in addresses:
        with django_assert_max_num_queries(40) as counted:
            client.get(address)
        before[address] = len(counted)
    source = LineItem.objects.get(pk=first.parent_id)
    for _number in range(30):
        split_item(cast.distributor, source, cast.installer.account, copies=1, order_number="PO-1")
    for address in addresses:
        with django_assert_num_queries(before[address]):
            client.get(address)


def test_the_count_is_capped(cast: Cast, settings: Any) -> None:
    """The list says how many there are."""
    issue_item(cast)
    assert "Line items: 1" in html_of(client_of(cast.distributor).get(LIST))


@pytest.mark.parametrize(
    "step", ["split", "undo", "email", "certificate", "history", "state", "quantity", "replace"]
)
def test_the_menus_go_to_the_ticked_item(cast: Cast, step: str) -> None:
    """With one ticked item the menu opens its page; with none or two the list comes back with a message."""
    client = client_of(cast.distributor)
    address = reverse("line_item_go", args=[step])
    assert client.get(address, {"item": "7"}).url == reverse(f"line_item_{step}", args=[7])
    for ticked in ([], ["7", "8"], ["x"], ["9" * 30]):
        query = {"item": ticked, "list": "shown=ours&sort=expiration", "here": "1"}
        response = client.get(address, query, follow=True)
        kept = "&item=7&item=8" if len(ticked) == 2 else ""
        assert response.redirect_chain == [(f"{LIST}?shown=ours&sort=expiration{kept}", 302)]
        assert "Tick exactly one line item" in html_of(response)


def test_ticks_are_not_lost(cast: Cast) -> None:
    """After Split with several ticked items, they stay ticked on the same page of the list for a bulk split."""
    items = [issue_item(cast).pk for _ in range(4)]
    client = client_of(cast.distributor)
    page = html_of(client.get(LIST, {"after": items[3], "sort": "newest"}))
    query = re.search(r'name="list" value="([^"]+)"', page)
    assert query
    back = query[1].replace("&amp;", "&")
    go = reverse("line_item_go", args=["split"])
    response = client.get(go, {"item": items[:2], "list": back}, follow=True)
    page = html_of(response)
    assert "“Bulk split” splits several at once." in page
    assert re.findall(r'value="(\d+)" checked', page) == [str(items[1]), str(items[0])]
    assert f'value="{items[3]}"' not in page


def test_a_new_window_without_a_tick_says_why(cast: Cast) -> None:
    """View Certificate without a tick opens a window that says what to do."""
    issue_item(cast)
    response = client_of(cast.distributor).get(reverse("line_item_go", args=["certificate"]), {"list": "q=a"})
    page = html_of(response)
    assert response.status_code == 200
    assert "tick one line item in the list" in page
    assert f'href="{LIST}?q=a"' in page
    assert "<table" not in page


def test_tabs_that_can_only_be_empty_are_left_out(cast: Cast) -> None:
    """MOBOTIX owns nothing, and nothing is sold below an installer; an empty tab says what it is for."""
    for person, tabs in (
        (cast.mobotix, ["Sold by us", "Further down", "All"]),
        (cast.distributor, ["Ours", "Sold by us", "Further down", "All"]),
        (cast.installer, ["Ours", "Sold by us", "All"]),
    ):
        page = html_of(client_of(person).get(LIST, {"shown": "sold"}))
        nav = page.partition('<nav class="mx-tabs"')[2].partition("</nav>")[0]
        assert re.findall(r">([^<>]+)</a>", nav) == tabs
        assert "Nothing sold yet" in page
    assert "Nothing further down yet" in html_of(client_of(cast.distributor).get(LIST, {"shown": "below"}))


def test_the_menus_come_back_to_the_same_list(cast: Cast) -> None:
    """The form knows the filters; tabs keep them too."""
    issue_item(cast)
    page = html_of(client_of(cast.distributor).get(LIST, {"q": "video", "sort": "expiration"}))
    assert 'name="list" value="q=video&amp;sort=expiration"' in page
    assert f'href="{LIST}?q=video&amp;sort=expiration&amp;shown=ours"' in page


def test_the_menus_lead_nowhere_else(cast: Cast) -> None:
    """An unknown step is 404, and the way back stays within the list."""
    client = client_of(cast.distributor)
    assert client.get(reverse("line_item_go", args=["delete"])).status_code == 404
    response = client.get(reverse("line_item_go", args=["split"]), {"list": "//evil.example/?a=1"})
    assert response.url.startswith(LIST)


MENUS = {
    "mobotix": {"split", "undo", "replace", "state", "quantity", "email", "certificate", "history"},
    "distributor": {"split", "undo", "replace", "email", "certificate", "history"},
    "distributor_viewer": {"certificate", "history"},
    "mobotix_viewer": {"certificate", "history"},
}


@pytest.mark.parametrize("name", MENUS)
def test_the_menus_offer_what_the_role_may(cast: Cast, name: str) -> None:
    """U3: a view-only user finds no step that writes."""
    issue_item(cast)
    person: User = getattr(cast, name)
    page = html_of(client_of(person).get(LIST))
    offered = {
        step for step in MENUS["mobotix"] if f'formaction="{reverse("line_item_go", args=[step])}"' in page
    }
    assert offered == MENUS[name]


def test_an_empty_list_says_what_to_do(cast: Cast) -> None:
    """ "Nothing yet" and "nothing found" have different texts."""
    client = client_of(cast.distributor)
    assert "What your seller splits to your account appears here" in html_of(client.get(LIST))
    assert "Show all" in html_of(client.get(LIST, {"q": "nothing like it"}))
    assert reverse("entitlement_create") in html_of(client_of(cast.mobotix).get(LIST))
