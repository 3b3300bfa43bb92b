"""A7: MOBOTIX moves an account, with all it has, to another seller."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from accounts.models import Account, AccountStatus, AuditEntry, RelationStatus, SellingRelation, Tier, User
from accounts.services.relations import request_relation
from entitlements.models import LineItem
from entitlements.orders.services.transfer import transfer_account
from mxportal.shared.forms import new_key
from notifications.models import Mail
from notifications.registry import render
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of, offered_on
from tests.factories import (
    Cast,
    Chain,
    make_account,
    make_chain,
    make_relation,
    make_user,
    split_item,
)

pytestmark = pytest.mark.django_db
REASON = "The installer is out of business"


@pytest.fixture
def chain(cast: Cast) -> Chain:
    """City Hospital has 5 copies from the installer."""
    return make_chain(cast, order_number="PO-HOSPITAL")


def address(account: Account) -> str:
    return reverse("account_move", args=[account.pk])


def move(cast: Cast, account: Account, former: User, seller: User, **changes: Any) -> Account:
    known: dict[str, Any] = {"key": new_key(), "reason": REASON}
    return transfer_account(
        actor=cast.mobotix,
        account_id=account.pk,
        former_id=former.account_id,
        seller_id=seller.account_id,
        **known | changes,
    )


def moved(cast: Cast) -> None:
    """City Hospital goes from the installer to another distributor's."""
    move(cast, cast.customer, cast.installer, cast.other_installer)


def status_of(seller: User, account: Account) -> str:
    return SellingRelation.objects.get(seller=seller.account, buyer=account).status


def test_by_the_pages(cast: Cast, chain: Chain) -> None:
    """A7: the account's page leads to a list of sellers, then to what moves, then it is done."""
    client = client_of(cast.mobotix)
    assert address(cast.customer) in html_of(client.get(reverse("account_detail", args=[cast.customer.pk])))
    found = client.get(address(cast.customer), {"q": "outside cam"})
    assert [account.name for account in found.context["page"].items] == ["Outside Cameras"]
    chosen = client.get(address(cast.customer), {"seller": cast.other_installer.account_id})
    assert chosen.context["items"] == chosen.context["served"] == 1
    assert chosen.context["contacts"] == 1
    form = chosen.context["form"]
    data = {name: form[name].value() for name in ("key", "former_id", "seller_id")} | {"reason": REASON}
    done = client.post(address(cast.customer), data, follow=True)

    assert "The account is transferred to Outside Cameras." in html_of(done)
    assert "transferred the account to the seller" in html_of(done)
    assert REASON in html_of(done)
    assert status_of(cast.installer, cast.customer) == RelationStatus.ENDED
    assert status_of(cast.other_installer, cast.customer) == RelationStatus.ACCEPTED


def test_the_new_seller_looks_after_the_items(cast: Cast, chain: Chain) -> None:
    """A7, E12, E13: it reads the whole ID, mails it and replaces it; it sees nothing of the chain above."""
    moved(cast)
    client = client_of(cast.other_installer)
    item = reverse("line_item_detail", args=[chain.served.pk])
    response = client.get(item)
    page = html_of(response)
    for text in (chain.served.activation_id, "City Hospital", "PO-HOSPITAL", cast.customer_contact.email):
        assert text in page
    for text in (cast.installer.account.name, cast.distributor.account.name):
        assert text not in page
    assert offered_on(response) == {
        "Activate",
        "Activate many devices",
        "Email",
        "View Certificate",
        "Replace Activation ID",
        "History",
    }
    assert client.get(reverse("line_item_email", args=[chain.served.pk])).status_code == 200
    assert client.get(reverse("line_item_detail", args=[chain.installed.pk])).status_code == 404
    assert [row.pk for row in client.get(reverse("line_item_list"), {"q": "city hos"}).context["rows"]] == [
        chain.served.pk
    ]
    assert cast.customer in Account.objects.bought_from(cast.other_installer.account)
    assert User.objects.managed_by(cast.other_installer).filter(pk=cast.customer_contact.pk).exists()


@pytest.mark.slow
def test_to_the_former_seller_it_is_history(cast: Cast, chain: Chain) -> None:
    """A7, E13: it sees that there is an item, and how many copies; no ID, no name, and it does nothing with it."""
    moved(cast)
    client = client_of(cast.installer)
    for name in ("line_item_detail", "line_item_history"):
        page = html_of(client.get(reverse(name, args=[chain.served.pk])))
        assert chain.served.activation_id_tail in page
        for text in (chain.served.activation_id, "City Hospital", "PO-HOSPITAL", cast.customer_contact.email):
            assert text not in page, name
    response = client.get(reverse("line_item_detail", args=[chain.served.pk]))
    assert offered_on(response) == {"History"}
    for name in ("undo", "email", "certificate", "replace"):
        step = reverse(f"line_item_{name}", args=[chain.served.pk])
        assert client.get(step).status_code == 403, name
        assert client.post(step).status_code == (405 if name == "certificate" else 403), name
    for query in ("PO-HOSPITAL", "city hos"):
        assert not client.get(reverse("line_item_list"), {"q": query}).context["rows"]
    assert client.get(reverse("account_detail", args=[cast.customer.pk])).status_code == 404
    with pytest.raises(ValidationError, match="Choose an active account that you sell to"):
        split_item(cast.installer, chain.installed, cast.customer)


def test_chain_contacts_and_quantities_stay(cast: Cast, chain: Chain) -> None:
    """A7: the chain is history; and what the new seller splits itself is its own."""
    before = LineItem.objects.filter(pk=chain.served.pk).values(
        "seller", "distributor", "installer", "end_customer", "contact", "quantity", "activation_id"
    )
    values = before.get()
    moved(cast)
    assert before.get() == values
    assert LineItem.objects.get(pk=chain.served.pk).serving_account == cast.other_installer.account
    history = reverse("line_item_history", args=[chain.served.pk])
    assert "Outside Cameras now looks after the line item" in html_of(
        client_of(cast.other_installer).get(history)
    )
    assert "Name withheld now looks after the line item" in html_of(client_of(cast.distributor).get(history))


def test_those_concerned_are_told(cast: Cast, chain: Chain) -> None:
    """A7: admins of the new seller by name; of the former one by the Account ID, which it knows; no viewer."""
    moved(cast)
    mails = {
        mail.recipient_email: render(mail) for mail in Mail.objects.filter(kind__startswith="accounts.moved")
    }
    assert set(mails) == {cast.installer.email, cast.other_installer.email}
    new, old = mails[cast.other_installer.email], mails[cast.installer.email]
    assert new
    assert old
    assert "City Hospital" in new.text
    assert "Outside Cameras" in new.html
    for text in (old.text, old.html):
        assert cast.customer.account_id in text
        assert "City Hospital" not in text
        assert "Outside" not in text
        assert REASON not in text


@pytest.mark.slow
def test_a_partner_moves_with_its_buyers(cast: Cast, chain: Chain) -> None:
    """A7: an installer to another distributor: its items stay in their chain, its customers stay its own."""
    move(cast, cast.installer.account, cast.distributor, cast.other_distributor)

    assert status_of(cast.distributor, cast.installer.account) == RelationStatus.ENDED
    assert status_of(cast.installer, cast.customer) == RelationStatus.ACCEPTED
    page = reverse("account_detail", args=[cast.installer.account_id])
    assert_statuses(page, [(cast.distributor, 404), (cast.other_distributor, 200)])
    assert "Nordlicht" not in html_of(client_of(cast.other_distributor).get(page))
    detail = reverse("line_item_detail", args=[chain.installed.pk])
    assert_statuses(detail, [(cast.distributor, 200), (cast.installer, 200), (cast.other_distributor, 404)])
    split_item(cast.installer, chain.installed, cast.customer, copies=1)
    told = Mail.objects.filter(kind="accounts.moved").values_list("recipient_email", flat=True)
    assert set(told) == {cast.installer.email, cast.other_distributor.email}


def test_one_of_several_sellers(cast: Cast, chain: Chain) -> None:
    """A2, A7: the other relation stays; where the new seller sells to it already, only the former one ends."""
    make_relation(cast.other_distributor.account, cast.installer.account)
    page = client_of(cast.mobotix).get(
        address(cast.installer.account), {"seller": cast.other_distributor.account_id}
    )
    assert len(page.context["form"]["former_id"]) == 2
    assert page.context["form"]["former_id"].value() is None
    move(cast, cast.installer.account, cast.distributor, cast.other_distributor)
    assert status_of(cast.other_distributor, cast.installer.account) == RelationStatus.ACCEPTED
    assert status_of(cast.distributor, cast.installer.account) == RelationStatus.ENDED


def test_back_again(cast: Cast, chain: Chain) -> None:
    """A7: a move is mended by another one; and a partner may be asked again by its former seller (A2)."""
    moved(cast)
    move(cast, cast.customer, cast.other_installer, cast.installer)
    assert LineItem.objects.get(pk=chain.served.pk).serving_account == cast.installer.account
    assert status_of(cast.installer, cast.customer) == RelationStatus.ACCEPTED
    page = html_of(client_of(cast.installer).get(reverse("line_item_detail", args=[chain.served.pk])))
    assert chain.served.activation_id in page
    move(cast, cast.installer.account, cast.distributor, cast.other_distributor)
    request_relation(actor=cast.distributor, account_id=cast.installer.account.account_id)
    assert status_of(cast.distributor, cast.installer.account) == RelationStatus.REQUESTED


def test_a_namesake_at_the_new_seller(cast: Cast, chain: Chain) -> None:
    """A3: two buyers of one name; nothing moves."""
    make_account(Tier.END_CUSTOMER, "CITY hospital", sellers=(cast.other_installer.account,))
    form = {
        "key": new_key(),
        "former_id": cast.installer.account_id,
        "seller_id": cast.other_installer.account_id,
    }
    response = client_of(cast.mobotix).post(address(cast.customer), form | {"reason": REASON})
    (sentence,) = errors_of(response)["__all__"]
    assert "Outside Cameras sells to another account with the name “City Hospital”" in sentence
    assert REASON in html_of(response)
    assert status_of(cast.installer, cast.customer) == RelationStatus.ACCEPTED


def test_whom_it_cannot_move_to(cast: Cast, chain: Chain) -> None:
    """A1, A5: a lower or equal tier, an inactive account, the same seller, itself; the list offers none of them."""
    installer = cast.installer.account
    offered = {
        account.pk for account in client_of(cast.mobotix).get(address(installer)).context["page"].items
    }
    distributors = Account.objects.filter(tier=Tier.DISTRIBUTOR).values_list("pk", flat=True)
    assert offered == {cast.mobotix.account_id, *distributors} - {cast.distributor.account_id}
    for seller in (cast.other_installer, cast.installer, cast.distributor):
        with pytest.raises(ValidationError) as refused:
            move(cast, installer, cast.distributor, seller)
        assert list(refused.value.error_dict) == ["seller"]
    Account.objects.filter(pk=cast.other_distributor.account_id).update(status=AccountStatus.INACTIVE)
    with pytest.raises(ValidationError, match="active account of a higher tier"):
        move(cast, installer, cast.distributor, cast.other_distributor)
    with pytest.raises(ValidationError, match="no longer sells to the account"):
        move(cast, installer, cast.other_distributor, cast.mobotix)
    with pytest.raises(Account.DoesNotExist):
        move(cast, cast.mobotix.account, cast.distributor, cast.other_distributor)
    assert client_of(cast.mobotix).get(address(cast.mobotix.account)).status_code == 404


@pytest.mark.parametrize("seller", ["", "x", "9" * 30, "0"])
def test_a_wrong_choice_leads_back_to_the_list(cast: Cast, seller: str) -> None:
    """Nothing chosen, or an address that was changed by hand."""
    page = client_of(cast.mobotix).get(address(cast.customer), {"seller": seller})
    assert "Tick an account" in html_of(page)


def test_a_reason_is_needed(cast: Cast, chain: Chain) -> None:
    """E13: by the page and in the service."""
    data = {
        "key": new_key(),
        "former_id": cast.installer.account_id,
        "seller_id": cast.other_installer.account_id,
    }
    response = client_of(cast.mobotix).post(address(cast.customer), data)
    assert list(errors_of(response)) == ["reason"]
    with pytest.raises(ValidationError, match="Enter why"):
        move(cast, cast.customer, cast.installer, cast.other_installer, reason=" ")


def test_twice_is_once(cast: Cast, chain: Chain) -> None:
    """E7: the same request again changes nothing and writes no second mail."""
    key = new_key()
    for _ in range(2):
        assert move(cast, cast.customer, cast.installer, cast.other_installer, key=key) == cast.customer
    assert AuditEntry.objects.filter(action="relation_moved").count() == 1
    assert Mail.objects.filter(kind="accounts.moved_away").count() == 1


def test_who_may(cast: Cast) -> None:
    """U3: MOBOTIX's admins alone."""
    others = [(user, 403) for user in (cast.mobotix_viewer, cast.distributor, cast.installer)]
    for method in ("get", "post"):
        assert_statuses(address(cast.customer), [(cast.mobotix, 200), *others], method)
    with pytest.raises(PermissionDenied):
        transfer_account(
            actor=cast.installer,
            account_id=cast.customer.pk,
            former_id=cast.installer.account_id,
            seller_id=cast.other_installer.account_id,
            key=new_key(),
            reason=REASON,
        )


def test_the_former_seller_is_named_to_nobody(cast: Cast, chain: Chain) -> None:
    """A2: the account's new seller reads who moved it and why, and not from whom."""
    moved(cast)
    make_user(cast.other_installer.account, "Nora")
    page = html_of(client_of(cast.other_installer).get(reverse("account_detail", args=[cast.customer.pk])))
    assert REASON in page
    for text in (cast.installer.account.name, cast.installer.account.account_id):
        assert text not in page
