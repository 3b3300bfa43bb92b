"""U12: Home tells an account that has sold nothing yet what to do first."""

import pytest
from django.urls import reverse

from accounts.models import Role, Tier, User
from entitlements.overview.pages.first_steps import first_steps
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, issue_item, make_account, make_contact, make_user, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def beginner(cast: Cast) -> User:
    """The only person of an installer that has bought something and sold nothing."""
    person = make_user(
        make_account(Tier.INSTALLER, "New Alarms", sellers=(cast.distributor.account,)), "Nora"
    )
    split_item(cast.distributor, issue_item(cast), person.account, copies=5)
    return person


def steps(person: User) -> dict[str, bool]:
    """What is on the list, and whether it is ticked."""
    return {str(step.label): step.is_done for step in first_steps(person)}


def test_each_step_is_ticked_when_it_is_done(cast: Cast, beginner: User) -> None:
    """A customer, a colleague, the first split; with that one the list ends."""
    customer, colleague, split = (
        "Create the first customer account",
        "Invite a colleague",
        "Make the first split",
    )
    assert steps(beginner) == {customer: False, colleague: False, split: False}
    account = make_account(Tier.END_CUSTOMER, "Museum", sellers=(beginner.account,))
    assert steps(beginner) == {customer: True, colleague: False, split: False}
    make_contact(beginner.account)
    assert steps(beginner)[colleague] is False, "who cannot log in looks after nothing"
    make_user(beginner.account, role=Role.PORTAL_USER)
    assert steps(beginner) == {customer: True, colleague: True, split: False}
    bought = beginner.account.entitlements.get().line_items.get()
    split_item(beginner, bought, account, copies=1)
    assert steps(beginner) == {}


def test_the_list_ends_with_the_first_split(cast: Cast, beginner: User) -> None:
    """Who works alone is not asked for a colleague for ever."""
    account = make_account(Tier.END_CUSTOMER, "Museum", sellers=(beginner.account,))
    split_item(beginner, beginner.account.entitlements.get().line_items.get(), account, copies=1)
    assert steps(beginner) == {}


@pytest.mark.slow
def test_the_steps_lead_to_their_pages(beginner: User) -> None:
    """Each link opens, for who reads it."""
    client = client_of(beginner)
    home = html_of(client.get(reverse("home")))
    assert "First steps" in home
    for step in first_steps(beginner):
        assert f'href="{step.url}"' in home
        assert client.get(step.url).status_code == 200
    make_account(Tier.END_CUSTOMER, "Museum", sellers=(beginner.account,))
    assert reverse("account_create", args=["customer"]) not in html_of(client.get(reverse("home")))


def test_only_what_the_reader_may_do(cast: Cast, beginner: User) -> None:
    """A view-only user may take none of the steps."""
    viewer = make_user(beginner.account, role=Role.PORTAL_USER)
    assert steps(viewer) == {}
    assert "First steps" not in html_of(client_of(viewer).get(reverse("home")))


def test_each_tier_has_its_own_steps(cast: Cast) -> None:
    """MOBOTIX and distributors sell to partners; MOBOTIX issues instead of splitting."""
    assert list(steps(cast.mobotix)) == [
        "Create the first partner account",
        "Invite a colleague",
        "Create the first entitlement",
    ]
    assert list(steps(cast.other_distributor)) == [
        "Create the first partner account",
        "Invite a colleague",
        "Make the first split",
    ]
    issue_item(cast)
    assert steps(cast.mobotix) == {}


@pytest.mark.parametrize("name", ["mobotix", "other_distributor", "other_installer"])
def test_in_german(cast: Cast, name: str) -> None:
    """U8: both languages."""
    User.objects.update(language="de")
    person: User = User.objects.get(pk=getattr(cast, name).pk)
    assert "Erste Schritte" in html_of(client_of(person).get(reverse("home")))
