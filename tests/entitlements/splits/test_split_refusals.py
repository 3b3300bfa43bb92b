"""What a split refuses, with a sentence at its field and nothing typed lost (E3, E6)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AccountStatus, Tier
from entitlements.models import LineItem, State, today
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from tests.entitlements.pages import client_of, errors_of
from tests.entitlements.splits.split_pages import address, typed
from tests.factories import Cast, issue_item, make_account, make_contact, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.distributor)


@pytest.mark.parametrize("step", ["summary", "complete"])
@pytest.mark.parametrize(
    ("copies", "sentence"),
    [
        ("0", "Enter at least 1 copy."),
        ("-1", "Enter at least 1 copy."),
        ("1.5", "Enter a whole number, for example 5 or 2,000."),
        ("101", "Only 100 copies are available now. Enter a smaller amount."),
        (str(10**12), "Only 100 copies are available now. Enter a smaller amount."),
        (str(10**30), "Only 100 copies are available now. Enter a smaller amount."),
        ("", "Enter a number of copies."),
        ("ten", "Enter a whole number, for example 5 or 2,000."),
        ("1e3", "Enter a whole number, for example 5 or 2,000."),
        ("9" * 10_000, "Enter a whole number, for example 5 or 2,000."),
    ],
)
def test_bad_amounts(
    client: Client, cast: Cast, item: LineItem, step: str, copies: str, sentence: str
) -> None:
    """E6: a sentence at the field; nothing typed is lost, nothing is written."""
    response = client.post(address(item), typed(cast, step=step, copies=copies))

    assert errors_of(response) == {"copies": [sentence]}
    html = response.content.decode()
    assert sentence in html
    assert f'value="{copies}"' in html or not copies
    assert 'value="PO-77"' in html
    assert "Blick Sicherheitstechnik" in html
    assert not LineItem.objects.filter(parent=item).exists()


def _own(cast: Cast) -> Any:
    return cast.distributor.account


def _same_tier(cast: Cast) -> Any:
    return cast.other_distributor.account


def _foreign(cast: Cast) -> Any:
    return cast.other_installer.account


def _higher(cast: Cast) -> Any:
    return cast.mobotix.account


def _inactive(cast: Cast) -> Any:
    return make_account(
        Tier.INSTALLER, "Closed", sellers=(cast.distributor.account,), status=AccountStatus.INACTIVE
    )


@pytest.mark.parametrize("step", ["summary", "complete"])
@pytest.mark.parametrize("make_target", [_own, _same_tier, _foreign, _higher, _inactive])
def test_bad_targets(client: Client, cast: Cast, item: LineItem, step: str, make_target: Any) -> None:
    """E6: own, same tier, another seller's, higher, inactive: one sentence for all, which tells nothing (A4)."""
    target = make_target(cast)
    contact = make_contact(target)
    response = client.post(address(item), typed(cast, step=step, account=target, contact=contact.pk))

    assert errors_of(response)["target"] == [
        "Choose an active account that you sell to, on a lower tier than yours."
    ]
    assert contact.email not in response.content.decode()
    assert not LineItem.objects.filter(parent=item).exists()


@pytest.mark.parametrize("step", ["summary", "complete"])
def test_a_contact_of_another_account(client: Client, cast: Cast, item: LineItem, step: str) -> None:
    """E6: the contact belongs to the target, even where the actor sees both."""
    response = client.post(address(item), typed(cast, step=step, contact=cast.sibling_installer.pk))

    assert errors_of(response) == {"contact": ["Choose a contact of the target account."]}
    assert not LineItem.objects.filter(parent=item).exists()


@pytest.mark.parametrize("value", ["", "abc", "-1", "1.5", str(10**30)])
def test_tampered_numbers_get_a_sentence(client: Client, cast: Cast, item: LineItem, value: str) -> None:
    """E6: whatever stands in the hidden fields."""
    response = client.post(address(item), typed(cast, target=value, contact=value))

    assert response.status_code == 200
    assert {"target", "contact"} >= set(errors_of(response)) >= {"target"}


def test_a_stale_form_loses_nothing(client: Client, cast: Cast, item: LineItem) -> None:
    """E6: somebody else split meanwhile: the sentence at the amount says what is available now."""
    data = typed(cast, copies="60")
    assert client.post(address(item), data).status_code == 200
    split_item(cast.distributor, item, cast.sibling_installer.account, copies=50)
    response = client.post(address(item), data | {"step": "complete"})

    assert errors_of(response) == {"copies": ["Only 50 copies are available now. Enter a smaller amount."]}
    html = response.content.decode()
    assert 'value="60"' in html
    assert "Split Amount (of 50 available)" in html
    assert f'name="key" value="{data["key"]}"' in html


@pytest.mark.parametrize("number", ["x" * 61, "x" * 10_000])
def test_an_order_number_that_is_too_long(client: Client, cast: Cast, item: LineItem, number: str) -> None:
    """E7: the browser cuts nothing silently, the field says it."""
    response = client.post(address(item), typed(cast, order_number=number))

    assert list(errors_of(response)) == ["order_number"]
    assert number in response.content.decode()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7 }}", "\"'", "日本語", "עברית"])
def test_order_numbers_in_any_script(client: Client, cast: Cast, item: LineItem, text: str) -> None:
    """E7: kept as typed, escaped on the page."""
    data = typed(cast, order_number=text)
    assert "<script>alert" not in client.post(address(item), data).content.decode()
    client.post(address(item), data | {"step": "complete"})

    assert LineItem.objects.get(parent=item).entitlement.order_number == text


@pytest.mark.parametrize("state", [State.INACTIVE, State.OBSOLETE])
def test_items_that_cannot_be_split_say_why(client: Client, cast: Cast, item: LineItem, state: State) -> None:
    """E3: only deployed items; the page explains instead of a form, and a POST does nothing."""
    change_state(actor=cast.mobotix, item_id=item.pk, state=state, key=new_key())
    page = client.get(address(item))
    assert page.status_code == 200
    assert "Only deployed line items can be split." in page.content.decode()
    assert "id_copies" not in page.content.decode()
    for step in ("summary", "complete"):
        response = client.post(address(item), typed(cast, step=step))
        assert "Only deployed line items can be split." in response.content.decode()
    assert not LineItem.objects.filter(parent=item).exists()


def test_an_expired_item_says_so(client: Client, cast: Cast) -> None:
    """E6, E14: the day after the expiration day."""
    day = today() - timedelta(days=1)
    item = issue_item(cast, starts_on=day - timedelta(days=30), expires_on=day)
    assert "has expired" in client.get(address(item)).content.decode()
    response = client.post(address(item), typed(cast, step="complete"))

    assert "has expired" in response.content.decode()
    assert not LineItem.objects.filter(parent=item).exists()


def test_an_item_that_expires_today_can_be_split(client: Client, cast: Cast) -> None:
    """E14: an expiration day counts to its end."""
    item = issue_item(cast, starts_on=today() - timedelta(days=30), expires_on=today())
    client.post(address(item), typed(cast, step="complete"))

    assert LineItem.objects.get(parent=item).expires_on == today()


def test_nothing_left_says_so(client: Client, cast: Cast, item: LineItem) -> None:
    """E6: no form where nothing can be split."""
    split_item(cast.distributor, item, cast.installer.account, copies=100)

    assert "No copies of this line item are available any more." in client.get(address(item)).content.decode()
