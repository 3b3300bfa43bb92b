"""The lineage of a line item: the whole tree for MOBOTIX, for everyone else what E12 shows, and never too big."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Tier, User
from entitlements.items.history import EVENTS_A_PAGE, timeline
from entitlements.ledger.movements import record_movements
from entitlements.models import LineItem, Movement, MovementKind
from entitlements.overview.pages.lineage import SHOWN_OF_A_LEVEL, Node, lineage
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.entitlements.pages import client_of, html_of
from tests.factories import (
    Cast,
    Chain,
    issue_item,
    make_account,
    make_chain,
    make_relation,
    split_item,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(cast: Cast) -> Chain:
    """100 issued, 40 of these at the installer, 5 of those at the end customer; 7 at a sibling of the installer."""
    chain = make_chain(cast)
    split_item(cast.distributor, chain.issued, cast.sibling_installer.account, copies=7)
    return chain


def address(item: LineItem) -> str:
    return reverse("line_item_history", args=[item.pk])


def outline(actor: User, item: LineItem) -> Any:
    """The tree in short: owner or "+", copies, and what is below."""

    def of(node: Node) -> Any:
        return (node.row.owner if node.row else "+", node.copies, [of(child) for child in node.children])

    return of(lineage(actor, LineItem.objects.get(pk=item.pk)).root)


def test_mobotix_sees_the_whole_tree(cast: Cast, chain: Chain) -> None:
    """E12: seen from the issued item, every split with its copies."""
    below = [("City Hospital", 5, [])]
    assert outline(cast.mobotix, chain.issued) == (
        "Nordlicht Distribution",
        100,
        [("Blick Sicherheitstechnik", 40, below), ("Sibling Alarms", 7, [])],
    )


def test_seen_from_below_the_other_splits_are_a_number(cast: Cast, chain: Chain) -> None:
    """The way up to the issued item, and beside it how many copies went elsewhere (E4)."""
    assert outline(cast.distributor, chain.served) == (
        "Nordlicht Distribution",
        100,
        [("Blick Sicherheitstechnik", 40, [("Name withheld", 5, [])]), ("+", 7, [])],
    )


def test_an_installer_sees_nothing_above_its_own(cast: Cast, chain: Chain) -> None:
    """E12: neither its distributor's item nor what that split to others."""
    expected = ("Blick Sicherheitstechnik", 40, [("City Hospital", 5, [])])
    for item in (chain.installed, chain.served):
        assert outline(cast.installer, item) == expected
        page = html_of(client_of(cast.installer).get(address(item)))
        for text in (cast.sibling_installer.account.name, chain.issued.activation_id_tail, "Quantity 100"):
            assert text not in page


@pytest.mark.slow
def test_names_and_ids_are_masked_in_the_picture(cast: Cast, chain: Chain) -> None:
    """A4, E5: in the boxes, their titles and the list; where the account says Yes, its name stands there."""
    for item in (chain.issued, chain.installed, chain.served):
        page = html_of(client_of(cast.distributor).get(address(item)))
        assert "City Hospital" not in page
        assert chain.served.activation_id not in page
        assert chain.served.activation_id_tail in page
    Account.objects.filter(pk=cast.customer.pk).update(visible_to_partners=True)
    page = html_of(client_of(cast.distributor).get(address(chain.issued)))
    assert page.count("City Hospital</t") == 2, "the title and the box"
    assert chain.served.activation_id not in page


def test_a_serving_account_sees_its_item_alone(cast: Cast, chain: Chain) -> None:
    """E12, A7: who looks after an item since MOBOTIX moved it has no part in what is above it."""
    LineItem.objects.filter(pk=chain.served.pk).update(serving_account=cast.other_installer.account)
    make_relation(cast.other_installer.account, cast.customer)
    assert outline(cast.other_installer, chain.served) == ("City Hospital", 5, [])


def test_an_emptied_split_stays_in_the_tree(cast: Cast, chain: Chain) -> None:
    """A6: what has history is shown, after those that hold copies."""
    undo_split(actor=cast.installer, item_id=chain.served.pk, copies=5, key=new_key())
    assert outline(cast.installer, chain.installed) == (
        "Blick Sicherheitstechnik",
        40,
        [("City Hospital", 0, [])],
    )
    assert "Obsolete" in html_of(client_of(cast.installer).get(address(chain.installed)))


@pytest.mark.slow
def test_a_big_tree_is_cut(cast: Cast) -> None:
    """The largest of a level; the copies of the others in one box, which leads to the list of all splits."""
    item = issue_item(cast)
    for copies in [1] * 5 + [2] * SHOWN_OF_A_LEVEL:
        split_item(cast.distributor, item, cast.installer.account, copies=copies)
    item.refresh_from_db()
    *shown, rest = lineage(cast.distributor, item).root.children

    assert [node.copies for node in shown] == [2] * SHOWN_OF_A_LEVEL
    assert (rest.row, rest.copies, rest.url) == (
        None,
        5,
        reverse("line_item_detail", args=[item.pk]) + "#item-splits",
    )
    page = html_of(client_of(cast.distributor).get(address(item)))
    assert "5 copies in further splits" in page
    assert 'id="item-splits"' in html_of(client_of(cast.distributor).get(rest.url))


def boxes(nodes: list[Node]) -> Iterator[tuple[int, int]]:
    return ((node.x, node.y) for node in nodes)


def test_no_two_boxes_are_in_one_place(cast: Cast, chain: Chain) -> None:
    """Each node has its own place within the picture, to the right of the one above it."""
    for _ in range(3):
        split_item(cast.installer, chain.installed, cast.customer, copies=2)
    tree = lineage(cast.mobotix, LineItem.objects.get(pk=chain.issued.pk))

    assert len(set(boxes(tree.nodes))) == len(tree.nodes) == 7
    assert all(0 < x < tree.width and 0 < y < tree.height for x, y in boxes(tree.nodes))
    assert all(child.x > node.x and child.y >= node.y for node in tree.nodes for child in node.children)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("City Hospital", "City Hospital"),
        ("M" * 32, "M" * 32),
        ("M" * 33, "M" * 31 + "…"),
        ("東" * 16, "東" * 16),
        ("東" * 17, "東" * 15 + "…"),
    ],
)
def test_a_long_name_is_cut_in_its_box(cast: Cast, name: str, shown: str) -> None:
    """The whole of it stands in the title and the list."""
    account = make_account(Tier.DISTRIBUTOR, name, sellers=(cast.mobotix.account,))
    item = issue_item(cast, account)
    assert lineage(cast.mobotix, item).root.short_name == shown
    page = html_of(client_of(cast.mobotix).get(address(item)))
    assert f"<title>{name}</title>" in page


def test_the_picture_is_told_as_a_list_too(cast: Cast, chain: Chain) -> None:
    """For screen readers and phones: title, description, and the same nodes as nested lists."""
    page = html_of(client_of(cast.mobotix).get(address(chain.installed)))
    picture, words = page.split('<details class="mx-tree-list">')
    picture = picture.split('<svg class="mx-tree"')[1]
    words = words.split("</details>")[0]

    assert 'aria-labelledby="tree-title tree-desc"' in picture
    assert re.findall(r'<a href="([^"]+)"', picture) == re.findall(r'<a href="([^"]+)"', words)
    assert picture.count("40") >= 1 <= words.count("Quantity 40")
    assert "style=" not in picture


def test_a_fixed_number_of_queries(
    cast: Cast,
    chain: Chain,
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: Any,
) -> None:
    """The same with one split a level as with three; a tree of three levels has seven at most."""
    item = LineItem.objects.get(pk=chain.issued.pk)
    with django_assert_max_num_queries(7) as counted:
        lineage(cast.distributor, item)
    for _ in range(2):
        other = split_item(cast.distributor, item, cast.installer.account, copies=4)
        for _ in range(3):
            split_item(cast.installer, other, cast.customer, copies=1)
    item.refresh_from_db()
    with django_assert_num_queries(len(counted)):
        assert len(lineage(cast.distributor, item).nodes) == 12


def test_a_long_history_is_paged(cast: Cast) -> None:
    """Every event once and none left out, also of those that happened in one moment."""
    item = issue_item(cast, quantity=1000)
    record_movements(actor=cast.mobotix, kind=MovementKind.ADJUST, parts=[(item, 1)] * (2 * EVENTS_A_PAGE))
    item.refresh_from_db()
    client, after, told = client_of(cast.distributor), "", []
    while True:
        response = client.get(address(item), {"after": after} if after else {})
        told += [event.text for event in response.context["timeline"].events]
        assert bool(response.context["lineage"]) is not bool(after), "the picture stands on the first page"
        if not (after := response.context["timeline"].older):
            break
    assert len(told) == 2 * EVENTS_A_PAGE + 2, "and the issue, and the deployment"
    assert told[-2:] == [
        "The state changed from “Draft” to “Deployed”.",
        "1000 copies of Video Analytics were issued to Nordlicht Distribution.",
    ]
    assert "Newest" in html_of(response)


@pytest.mark.parametrize("after", ["x", "m", "m9" + "9" * 30, "c0l0", "m1m2", "'; --"])
def test_a_wrong_page_is_harmless(cast: Cast, chain: Chain, after: str) -> None:
    """An address that was changed by hand gives some page."""
    assert client_of(cast.distributor).get(address(chain.issued), {"after": after}).status_code == 200


def test_the_history_of_a_stranger_starts_nowhere(cast: Cast, chain: Chain) -> None:
    """E12: the place where a page starts tells nothing about what others do."""
    foreign = issue_item(cast, cast.other_distributor.account)
    newest = Movement.objects.filter(item=foreign).latest("pk").pk
    events = timeline(cast.distributor, LineItem.objects.get(pk=chain.issued.pk), f"m{newest + 1}").events
    assert not any("Outside" in event.text for event in events)
