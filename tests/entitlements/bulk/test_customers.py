"""A2, A3: unknown end customers that a bulk split creates, where the user ticks it."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Account, AuditEntry, SellingRelation, Tier, User
from accounts.permissions import Permission
from entitlements.bulk.services.lines import BulkLine, LinesRefused
from entitlements.models import LineItem
from tests.entitlements.bulk.making import go, line_for, split_bulk, start
from tests.entitlements.bulk.pages import address
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, make_account

pytestmark = pytest.mark.django_db


def new_line(**fields: Any) -> BulkLine:
    """A line that brings everything a new end customer needs."""
    return BulkLine(
        **{
            "account_id": "MUSEUM-1",
            "email": "clara@museum.example",
            "amount": "3",
            "account_name": "Museum",
            "country": "DE",
            "first_name": "Clara",
            "last_name": "Weiß",
        }
        | fields
    )


def refused(cast: Cast, item: LineItem, *lines: BulkLine, **options: Any) -> dict[int, dict[str, str]]:
    options = {"create_customers": True} | options
    before = Account.objects.count(), User.objects.count()
    with pytest.raises(LinesRefused) as error:
        split_bulk(cast.distributor, [item], list(lines), **options)
    assert (Account.objects.count(), User.objects.count()) == before
    return error.value.checked.errors


def test_without_the_tick_it_is_an_error(cast: Cast, item: LineItem) -> None:
    """A mistyped ID must not make a phantom customer that holds copies."""
    assert list(refused(cast, item, new_line(), create_customers=False)[0]) == ["account_id"]


def test_with_the_tick_customer_contact_and_item_are_made(cast: Cast, item: LineItem) -> None:
    """A2, A3, A4, U5: an End customer of this seller, withheld from others, with a contact who cannot log in."""
    bulk = split_bulk(cast.distributor, [item], [new_line(country="deutschland")], create_customers=True)
    new = bulk.items.get()
    account, contact = new.owner, new.contact

    assert (account.account_id, account.name, account.tier, account.country) == (
        "MUSEUM-1",
        "Museum",
        Tier.END_CUSTOMER,
        "DE",
    )
    assert not account.visible_to_partners
    assert (contact.account, str(contact), contact.can_log_in) == (account, "Clara Weiß", False)
    assert not contact.has_usable_password()
    assert new.serving_account == cast.distributor.account
    assert SellingRelation.objects.accepted().get(buyer=account).seller == cast.distributor.account
    assert set(AuditEntry.objects.filter(object_id__in=[account.pk, contact.pk]).values_list("action", flat=True)) >= {
        "account_created",
        "user_created",
    }  # fmt: skip


def test_lines_of_one_new_customer_make_one_account(cast: Cast, item: LineItem) -> None:
    """Two contacts and three lines; without an Account ID one is proposed, and the name holds them together."""
    lines = [
        new_line(account_id=""),
        new_line(account_id="", email="CLARA@museum.example"),
        new_line(account_id="", email="tom@museum.example", first_name="Tom"),
    ]
    bulk = split_bulk(cast.distributor, [item], lines, create_customers=True)

    account = Account.objects.get(name="Museum")
    assert len(account.account_id) == 8
    assert account.users.count() == 2
    assert set(bulk.items.values_list("owner", flat=True)) == {account.pk}


def test_known_accounts_stay_as_they_are(cast: Cast, item: LineItem) -> None:
    """The tick concerns unknown accounts only: what else stands in the line of a known one is not read."""
    split_bulk(
        cast.distributor, [item], [line_for(cast.installer, account_name="Else")], create_customers=True
    )
    assert not Account.objects.filter(name="Else").exists()


@pytest.mark.parametrize(
    "missing", ["account_name", "country", "first_name", "last_name", "email"], ids=lambda name: name
)
def test_what_the_line_must_bring(cast: Cast, item: LineItem, missing: str) -> None:
    """A2: name, country and contact; each at its field."""
    assert list(refused(cast, item, new_line(**{missing: ""}))[0]) == [missing]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_id", "-starts wrong"),
        ("account_id", "Übel"),
        ("country", "Atlantis"),
        ("email", "no address"),
        ("email", "two@lines.example\nBcc: x@y.example"),
        ("account_name", "x" * 201),
        ("first_name", "x" * 101),
    ],
)
def test_what_is_wrong_stands_at_its_field(cast: Cast, item: LineItem, field: str, value: str) -> None:
    """A3, U2: the limits of the forms."""
    assert list(refused(cast, item, new_line(**{field: value}))[0]) == [field]


def test_a_stranger_s_id_is_like_an_unknown_one(cast: Cast, item: LineItem) -> None:
    """A3: whoever reads the preview cannot tell the two apart; the account gets a free ID when it is made."""
    stranger = cast.other_installer.account.account_id.lower()
    bulk = start(cast, item, new_line(account_id=stranger), create_customers=True)
    other = start(cast, item, new_line(), create_customers=True)
    assert bulk.findings == other.findings
    made = go(cast, bulk).items.get().owner
    assert (made.name, len(made.account_id)) == ("Museum", 8)
    assert made.account_id != stranger.upper()


def test_the_page_says_who_chooses_the_id_then(cast: Cast, item: LineItem) -> None:
    """A3: before anything is made."""
    html = html_of(client_of(cast.distributor).get(address(item)))
    assert "If the Account ID of a line cannot be used, the portal gives the customer a free one." in html


def test_an_account_that_one_knows_makes_no_phantom(cast: Cast, item: LineItem) -> None:
    """A5, A4: one's own inactive buyer, and one's own account, are named as what they are: nothing unseen is told."""
    inactive = make_account(Tier.INSTALLER, "Gone", sellers=(cast.distributor.account,), status="inactive")
    for known in (inactive, cast.distributor.account):
        errors = refused(cast, item, new_line(account_id=known.account_id.lower()))[0]
        assert list(errors) == ["account_id"]
        assert errors["account_id"].startswith("You cannot split to the account with this ID")


def test_names_are_unique_among_the_sellers_buyers(cast: Cast, item: LineItem) -> None:
    """A3: "City Hospital" of another seller is no hindrance; one's own is, and a twin in the same file."""
    make_account(Tier.END_CUSTOMER, "Museum", sellers=(cast.distributor.account,))
    errors = refused(
        cast,
        item,
        new_line(account_name="MUSEUM "),
        new_line(account_id="A1", account_name="Zoo"),
        new_line(account_id="A2", account_name="zoo"),
        new_line(account_id="A3", account_name="City Hospital"),
        new_line(account_id="A1", account_name="Park"),
    )
    assert {index: list(wrong) for index, wrong in errors.items()} == {
        0: ["account_name"],
        2: ["account_name"],
        4: ["account_name"],
    }


def test_creating_needs_the_permission(cast: Cast, item: LineItem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A2: the same permission as "Create customer account"."""
    monkeypatch.setattr(
        "accounts.models.user.PORTAL_ADMIN_PERMISSIONS", frozenset({Permission.SPLIT, Permission.VIEW})
    )
    with pytest.raises(PermissionDenied):
        split_bulk(cast.distributor, [item], [new_line()], create_customers=True)
    split_bulk(cast.distributor, [item], [line_for(cast.installer)], create_customers=True)
