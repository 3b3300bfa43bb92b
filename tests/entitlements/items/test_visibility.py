"""Who sees which line item, and which of its data, on every page that shows one (A4, E5, E12, E13)."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account, Tier, User
from entitlements.models import Entitlement, LineItem, State
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from tests.entitlements.pages import client_of, html_of, offered_on
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
WITHHELD = "Name withheld"


@pytest.fixture
def chain(cast: Cast) -> Chain:
    """City Hospital buys 5 copies; it is not visible to other partners."""
    return make_chain(cast, order_number="PO-HOSPITAL")


def everyone(cast: Cast) -> dict[str, User]:
    return {
        name: person for name, person in vars(cast).items() if isinstance(person, User) and person.can_log_in
    }


OF_THE_CHAIN = {
    "mobotix",
    "mobotix_viewer",
    "distributor",
    "distributor_viewer",
    "installer",
    "installer_viewer",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "seers"),
    [
        ("issued", {"mobotix", "mobotix_viewer", "distributor", "distributor_viewer"}),
        ("installed", OF_THE_CHAIN),
        ("served", OF_THE_CHAIN),
    ],
)
def test_who_sees_an_item(cast: Cast, chain: Chain, which: str, seers: set[str]) -> None:
    """E12: owner, chain, serving account and MOBOTIX, whatever the role; for all others it does not exist."""
    item = getattr(chain, which)
    pages = [
        reverse("line_item_detail", args=[item.pk]),
        reverse("line_item_history", args=[item.pk]),
        reverse("entitlement_detail", args=[item.entitlement_id]),
    ]
    for name, person in everyone(cast).items():
        client = client_of(person)
        expected = 200 if name in seers else 404
        assert [client.get(page).status_code for page in pages] == [expected] * 3, name
        listed = client.get(reverse("line_item_list"))
        assert (item.pk in [row.pk for row in listed.context["rows"]]) is (name in seers), name
        assert LineItem.objects.visible_to(person).filter(pk=item.pk).exists() is (name in seers)


def test_the_parts_of_the_list_are_the_whole(cast: Cast, chain: Chain) -> None:
    """E12: the indexed parts of the list contain exactly what ``visible_to`` allows."""
    from entitlements.items.listing import Shown, list_items

    issue_item(cast, cast.other_distributor.account)
    issue_item(cast, deploy=False)
    for person in everyone(cast).values():
        for shown in Shown.values:
            listing = list_items(actor=person, shown=shown)
            parts = {item.pk for part in listing.parts for item in part.queryset}
            assert parts == set(listing.items.values_list("pk", flat=True)), (str(person), shown)
            assert parts <= set(LineItem.objects.visible_to(person).values_list("pk", flat=True))


def test_drafts_are_mobotix_own(cast: Cast) -> None:
    """E3: a draft does not exist for its owner: page, list, history, entitlement, search, Home."""
    draft = issue_item(cast, deploy=False, order_number="PO-DRAFT")
    heading = draft.entitlement
    client = client_of(cast.distributor)
    assert client.get(reverse("line_item_detail", args=[draft.pk])).status_code == 404
    assert client.get(reverse("line_item_history", args=[draft.pk])).status_code == 404
    assert client.get(reverse("entitlement_detail", args=[heading.pk])).status_code == 404
    for query in (
        {},
        {"shown": "ours"},
        {"state": "draft"},
        {"q": "PO-DRAFT"},
        {"q": heading.entitlement_id},
    ):
        assert not client.get(reverse("line_item_list"), query).context["rows"]
    assert heading.entitlement_id not in html_of(client.get(reverse("home")))
    assert heading.entitlement_id in html_of(client_of(cast.mobotix).get(reverse("home")))


def pages_about(person: User, item: LineItem) -> dict[str, str]:
    """All pages that show the item, or events about it, to this reader."""
    client = client_of(person)
    addresses = {
        "list": reverse("line_item_list"),
        "by expiration": reverse("line_item_list", query={"sort": "expiration"}),
        "search": reverse("line_item_list", query={"q": item.entitlement.entitlement_id}),
        "home": reverse("home"),
        "detail": reverse("line_item_detail", args=[item.pk]),
        "history": reverse("line_item_history", args=[item.pk]),
        "history of the source": reverse("line_item_history", args=[item.parent_id]),
        "source": reverse("line_item_detail", args=[item.parent_id]),
        "entitlement": reverse("entitlement_detail", args=[item.entitlement_id]),
    }
    return {name: html_of(client.get(address)) for name, address in addresses.items()}


@pytest.mark.slow
def test_a_hidden_name_is_withheld_everywhere(cast: Cast, chain: Chain) -> None:
    """E12: the distributor reads "Name withheld" for the end customer of its installer, on every page."""
    for name, page in pages_about(cast.distributor, chain.served).items():
        assert cast.customer.name not in page, name
        assert cast.customer_contact.email not in page, name
        assert WITHHELD in page, name


@pytest.mark.slow
def test_a_visible_name_is_shown_everywhere(cast: Cast, chain: Chain) -> None:
    """A4: where the account says Yes, the same pages name it."""
    Account.objects.filter(pk=cast.customer.pk).update(visible_to_partners=True)
    for name, page in pages_about(cast.distributor, chain.served).items():
        assert cast.customer.name in page, name
        assert WITHHELD not in page, name


def test_parties_read_everything(cast: Cast, chain: Chain) -> None:
    """E5: the seller and MOBOTIX read the ID, the order number, the name and the contact."""
    for person in (cast.installer, cast.installer_viewer, cast.mobotix, cast.mobotix_viewer):
        page = html_of(client_of(person).get(reverse("line_item_detail", args=[chain.served.pk])))
        for text in (
            chain.served.activation_id,
            "PO-HOSPITAL",
            cast.customer.name,
            cast.customer_contact.email,
        ):
            assert text in page, (str(person), text)


@pytest.mark.slow
def test_up_the_chain_only_the_last_group_is_read(cast: Cast, chain: Chain) -> None:
    """E5, E7: neither the full ID nor the buyer's order number is shown."""
    for name, page in pages_about(cast.distributor, chain.served).items():
        assert chain.served.activation_id not in page, name
        assert "PO-HOSPITAL" not in page, name
    listed = html_of(client_of(cast.distributor).get(reverse("line_item_list")))
    assert f"…-{chain.served.activation_id[-4:]}" in listed


def test_the_upstream_order_stays_upstream(cast: Cast) -> None:
    """E7: the installer does not read the number of its distributor's order at MOBOTIX, nor find the item by it."""
    issued = issue_item(cast, order_number="PO-UPSTREAM")
    installed = split_item(
        cast.distributor, issued, cast.installer.account, copies=4, order_number="PO-MIDDLE"
    )
    client = client_of(cast.installer)
    page = html_of(client.get(reverse("line_item_detail", args=[installed.pk])))
    assert "PO-MIDDLE" in page
    assert "PO-UPSTREAM" not in page
    assert issued.activation_id not in page
    assert not client.get(reverse("line_item_list"), {"q": "PO-UPSTREAM"}).context["rows"]
    assert client.get(reverse("line_item_list"), {"q": "PO-MIDDLE"}).context["rows"]


def test_a_sibling_name_is_withheld_from_another_seller(cast: Cast) -> None:
    """A4: two sellers of one installer do not see what the other sold to it."""
    make_relation(cast.other_distributor.account, cast.installer.account)
    mine = split_item(cast.distributor, issue_item(cast), cast.installer.account)
    client = client_of(cast.other_distributor)
    assert client.get(reverse("line_item_detail", args=[mine.pk])).status_code == 404
    assert not client.get(reverse("line_item_list")).context["rows"]


def test_the_serving_account_sees_what_it_looks_after(cast: Cast, chain: Chain) -> None:
    """E12, A7: the account that looks after an item reads all of it; the chain stays masked to it."""
    new = make_account(Tier.INSTALLER, "New Carer")
    make_relation(new, cast.customer)
    LineItem.objects.filter(pk=chain.served.pk).update(serving_account=new)
    carer = User.objects.create(
        account=new,
        first_name="Nina",
        last_name="New",
        email="n@x.example",
        can_log_in=True,
        role="portal_admin",
        password="!",
    )
    client = client_of(carer)
    for query in ({}, {"shown": "sold"}, {"sort": "expiration"}, {"q": "PO-HOSPITAL"}, {"q": "city hos"}):
        assert [row.pk for row in client.get(reverse("line_item_list"), query).context["rows"]] == [
            chain.served.pk
        ], query
    page = html_of(client.get(reverse("line_item_detail", args=[chain.served.pk])))
    assert chain.served.activation_id in page
    assert cast.installer.account.name not in page
    assert cast.distributor.account.name not in page
    assert client.get(reverse("line_item_detail", args=[chain.installed.pk])).status_code == 404


def test_a_reason_that_may_name_somebody_is_for_parties(cast: Cast, chain: Chain) -> None:
    """E12: what MOBOTIX writes as a reason is not shown up the chain."""
    reason = "City Hospital has closed"
    change_state(
        actor=cast.mobotix, item_id=chain.served.pk, state=State.INACTIVE, key=new_key(), reason=reason
    )
    address = reverse("line_item_history", args=[chain.served.pk])
    assert reason in html_of(client_of(cast.installer).get(address))
    assert reason not in html_of(client_of(cast.distributor).get(address))


def test_an_entitlement_shows_only_visible_lines(cast: Cast) -> None:
    """E3, E12: of an order with a draft, the owner sees the deployed line alone."""
    item = issue_item(cast, order_number="PO-1")
    draft = LineItem.objects.create(
        entitlement=item.entitlement,
        product=item.product,
        starts_on=item.starts_on,
        state=State.DRAFT,
        owner=item.owner,
        seller=item.seller,
        contact=item.contact,
        distributor=item.owner,
        created_by=cast.mobotix,
    )
    address = reverse("entitlement_detail", args=[item.entitlement_id])
    assert [row.pk for row in client_of(cast.distributor).get(address).context["rows"]] == [item.pk]
    assert [row.pk for row in client_of(cast.mobotix).get(address).context["rows"]] == [draft.pk, item.pk]
    assert Entitlement.objects.visible_to(cast.distributor).get() == item.entitlement


ACTIONS: dict[str, dict[str, set[str]]] = {
    "distributor": {
        "issued": {"split", "activate", "certificate"},
        "installed": {"undo", "email", "replace", "certificate"},
        "served": set(),
    },
    "distributor_viewer": {"issued": {"certificate"}, "installed": {"certificate"}, "served": set()},
    "installer": {
        "installed": {"split", "activate", "hand_back", "certificate"},
        "served": {"activate", "undo", "email", "replace", "certificate"},
    },
    "installer_viewer": {"installed": {"certificate"}, "served": {"certificate"}},
    "mobotix": {
        "issued": {"activate", "email", "replace", "certificate", "state", "quantity"},
        "installed": {"activate", "undo", "email", "replace", "certificate", "state", "quantity"},
        "served": {"activate", "undo", "email", "replace", "certificate", "state", "quantity"},
    },
    "mobotix_viewer": {"issued": {"certificate"}, "installed": {"certificate"}, "served": {"certificate"}},
}


# The entries of the menus that stand for each; everybody reads the history.
LABELS = {
    "split": ("Split", "Bulk split"),
    "activate": ("Activate", "Activate many devices"),
    "undo": ("Undo split",),
    "hand_back": ("Hand copies back",),
    "replace": ("Replace Activation ID",),
    "state": ("Change state",),
    "quantity": ("Change quantity",),
    "email": ("Email",),
    "certificate": ("View Certificate",),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_who_is_offered_what(cast: Cast, chain: Chain, name: str) -> None:
    """E13: each page offers what its reader may do, and nothing else."""
    client = client_of(getattr(cast, name))
    for which, expected in ACTIONS[name].items():
        response: Any = client.get(reverse("line_item_detail", args=[getattr(chain, which).pk]))
        labels = {label for name in expected for label in LABELS[name]} | {"History"}
        assert offered_on(response) == labels, which
