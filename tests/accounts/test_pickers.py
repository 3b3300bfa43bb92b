"""The magnifier: Target Account and Contacts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, RelationStatus, Tier, User
from tests.factories import Cast, make_account, make_contact, make_relation

AsUser = Callable[..., Client]
PICK, CONTACT = "/accounts/pick/", "/accounts/pick/contact/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def offered(answer: Any) -> set[Any]:
    return set(answer.context["page"].items)


def test_offers_the_accounts_sold_to(cast: Cast, as_user: AsUser) -> None:
    """E6: active accounts that one sells to; others' customers, inactive ones and mere requests are not offered."""
    gone = make_account(Tier.END_CUSTOMER, "Gone", sellers=(cast.installer.account,), status="inactive")
    foreign = make_account(Tier.END_CUSTOMER, "Foreign", sellers=(cast.other_installer.account,))
    asked = make_account(Tier.END_CUSTOMER, "Asked", sellers=(cast.other_installer.account,))
    make_relation(cast.installer.account, asked, RelationStatus.REQUESTED)
    answer = as_user(cast.installer).get(PICK, {"back": "/x/"})
    assert offered(answer) == {cast.customer}
    assert not offered(answer) & {gone, foreign, asked}


def test_tier_type(cast: Cast, as_user: AsUser) -> None:
    """E6: the tiers below one's own, the next one first; nonsense gives the first."""
    client = as_user(cast.distributor)
    customer = make_account(Tier.END_CUSTOMER, "Direct Customer", sellers=(cast.distributor.account,))
    first = client.get(PICK)
    choices = [tier for tier, __ in first.context["form"]["tier"].field.choices]
    assert choices == [Tier.INSTALLER, Tier.END_CUSTOMER]
    assert offered(first) == {cast.installer.account, cast.sibling_installer.account}
    assert offered(client.get(PICK, {"tier": "mobotix"})) == offered(first)
    assert offered(client.get(PICK, {"tier": "end_customer"})) == {customer}
    assert offered(client.get(PICK, {"tier": "end_customer", "q": "DIRECT"})) == {customer}
    assert offered(client.get(PICK, {"q": "\x00"})) == set()


def test_nothing_ticked(cast: Cast, as_user: AsUser) -> None:
    """E6: Next without a tick says so and keeps everything; so does another seller's account."""
    for account in ("", "abc", "9" * 30, str(cast.other_installer.account_id)):
        answer = as_user(cast.installer).get(
            CONTACT, {"back": "/x/", "copies": "3", "account": account}, follow=True
        )
        assert "Tick an account" in text(answer)
        assert '<input type="hidden" name="copies" value="3">' in text(answer)


def test_carries_the_form_that_waits(cast: Cast, as_user: AsUser) -> None:
    """E6: every field of the opener comes back with account and contact; its CSRF token does not travel."""
    query = {
        "back": "/items/1/split/?a=1",
        "copies": "3",
        "note": '"><script>',
        "csrfmiddlewaretoken": "secret",
        "account": cast.customer.pk,
    }
    answer = as_user(cast.installer).get(CONTACT, query)
    assert answer.context["carried"] == [("copies", "3"), ("note", '"><script>')]
    assert 'action="/items/1/split/?a=1"' in text(answer)
    assert "<script>" not in text(answer).split("<main")[1]
    assert "secret" not in text(answer).split("<main")[1]
    assert answer.context["back_with_all"].startswith("/items/1/split/?a=1&copies=3&note=")


def test_back_is_a_path_of_this_site(cast: Cast, as_user: AsUser) -> None:
    """E6: the way back leads to no other site."""
    for evil in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        page = text(as_user(cast.installer).get(CONTACT, {"back": evil, "account": cast.customer.pk}))
        page = page.split("<main")[1]  # the language menu above it only comes back to this same page
        assert "evil" not in page
        assert "javascript:" not in page


def test_contacts(cast: Cast, as_user: AsUser) -> None:
    """E6: the account's active persons; an only one is ticked already, inactive ones and others' are not offered."""
    inactive = make_contact(cast.customer, "Gone", status="inactive")
    client = as_user(cast.installer)
    answer = client.get(CONTACT, {"account": cast.customer.pk})
    assert offered(answer) == {cast.customer_contact}
    assert answer.context["chosen"] == str(cast.customer_contact.pk)
    assert inactive not in offered(answer)
    make_contact(cast.customer, "Second")
    assert client.get(CONTACT, {"account": cast.customer.pk}).context["chosen"] == ""
    assert offered(
        client.get(CONTACT, {"account": cast.customer.pk, "person": "CARLA", "q": "Hospital"})
    ) == {cast.customer_contact}


def test_nobody_fits(cast: Cast, as_user: AsUser) -> None:
    """U4: "Create a User" is offered where one manages the account, and comes back; otherwise it says whom to ask."""
    User.objects.filter(account=cast.installer.account).update(status="inactive", login=None)
    client, query = as_user(cast.distributor), {"back": "/x/", "account": cast.installer.account_id}
    page = text(client.get(CONTACT, query))
    assert f"{reverse('user_create', args=[cast.installer.account_id])}?next=%2Fx%2F" in page
    Account.objects.filter(pk=cast.installer.account_id).update(taken_over_at="2026-01-01T00:00Z")
    page = text(client.get(CONTACT, query))
    assert reverse("user_create", args=[cast.installer.account_id]) not in page
    assert "A Portal Admin of the account manages its users" in page


@pytest.mark.parametrize("url", [PICK, CONTACT])
def test_viewers_pick_nothing(cast: Cast, as_user: AsUser, url: str) -> None:
    """U3: picking is for those who split."""
    assert as_user(cast.installer_viewer).get(url).status_code == 403


def test_fixed_number_of_queries(
    cast: Cast, as_user: AsUser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """E6: one account or thirty, one contact or thirty cost the same."""
    client, query = as_user(cast.installer), {"account": cast.customer.pk}
    with django_assert_num_queries(3):
        client.get(PICK)
    with django_assert_num_queries(6):
        client.get(CONTACT, query)
    for number in range(29):
        make_account(Tier.END_CUSTOMER, f"Customer {number}", sellers=(cast.installer.account,))
        make_contact(cast.customer, f"Contact{number}")
    with django_assert_num_queries(3):
        assert len(offered(client.get(PICK))) == 30
    with django_assert_num_queries(6):
        assert len(offered(client.get(CONTACT, query))) == 30
