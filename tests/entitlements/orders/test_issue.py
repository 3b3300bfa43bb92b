"""Create Entitlement."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AccountStatus, Tier
from entitlements.models import PERMANENT, Entitlement, LicenseModel, LineItem, State, today
from notifications.models import Mail
from tests.entitlements.orders.issue_pages import create, line, line_errors, typed
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, make_account, make_contact, make_product

pytestmark = pytest.mark.django_db


def test_an_order_becomes_a_draft(cast: Cast) -> None:
    """E1: account, contact, order number and date, lines; the buyer sees nothing yet (E3)."""
    end = today() + timedelta(days=365)
    rows = (
        line(0, cast.product.pk, quantity="20"),
        line(1, make_product(license_model=LicenseModel.TERM).pk, expires_on=str(end), permanent=None),
    )
    response = create(cast, typed(cast, *rows))
    entitlement = Entitlement.objects.get()

    assert response["Location"] == reverse("entitlement_detail", args=[entitlement.pk])
    assert (entitlement.order_number, str(entitlement.order_date)) == ("SO-9", "2026-11-02")
    assert entitlement.owner == cast.distributor.account
    lines = entitlement.line_items.order_by("pk").values_list("quantity", "available", "expires_on", "state")
    assert list(lines) == [(20, 20, PERMANENT, State.DRAFT), (5, 5, end, State.DRAFT)]
    assert not LineItem.objects.visible_to(cast.distributor).exists()
    assert not Mail.objects.exists()


def test_the_form_starts_with_one_line_of_today(cast: Cast) -> None:
    """E1."""
    page = client_of(cast.mobotix).get(reverse("entitlement_create"))
    (row,) = page.context["lines"]

    assert row["starts_on"].value() == today()
    assert "The entitlement is saved as a draft" in html_of(page)


def test_an_inactive_product_is_not_offered(cast: Cast) -> None:
    """A6, E1: and refused where it was typed into the request."""
    gone = make_product("GONE-1", is_active=False)
    assert "GONE-1" not in html_of(client_of(cast.mobotix).get(reverse("entitlement_create")))
    response = create(cast, typed(cast, line(0, gone.pk)))

    assert line_errors(response) == [{"product": ["Choose an active product."]}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"product": ""}, "product", "Choose a product."),
        ({"product": "abc"}, "product", "Choose an active product."),
        ({"product": str(10**30)}, "product", "Choose an active product."),
        ({"quantity": "0"}, "quantity", "Enter a quantity of at least 1."),
        ({"quantity": "-1"}, "quantity", "Enter a quantity of at least 1."),
        ({"quantity": "1.5"}, "quantity", "Enter a whole number, for example 5 or 2,000."),
        ({"quantity": ""}, "quantity", "Enter a number of copies."),
        ({"quantity": str(10**12)}, "quantity", "Enter a quantity of at most 1,000,000,000."),
        ({"quantity": str(10**30)}, "quantity", "Enter a quantity of at most 1,000,000,000."),
        ({"starts_on": ""}, "starts_on", "Enter the start date."),
        ({"starts_on": "31.31.2027"}, "starts_on", "Enter a date, for example 2027-01-31."),
        ({"permanent": None}, "expires_on", "Enter an expiration date, or tick “Permanent”."),
        (
            {"expires_on": "2999-01-01"},
            "expires_on",
            "Enter an expiration date or tick “Permanent”, not both.",
        ),
        (
            {"expires_on": "2020-01-01", "permanent": None},
            "expires_on",
            "The expiration date lies before the start date.",
        ),
        (
            {"expires_on": "2027-02-30", "permanent": None},
            "expires_on",
            "Enter a date, for example 2027-01-31.",
        ),
    ],
)
def test_bad_lines(cast: Cast, changes: dict[str, Any], field: str, sentence: str) -> None:
    """E1: a sentence at the line's own field; nothing typed is lost, nothing is written."""
    good = line(0, cast.product.pk, quantity="77")
    response = create(cast, typed(cast, good, line(1, cast.product.pk, **changes)))

    assert line_errors(response) == [{}, {field: [sentence]}]
    html = html_of(response)
    assert sentence in html
    assert 'value="77"' in html
    assert 'value="SO-9"' in html
    assert "Nordlicht Distribution" in html
    assert not Entitlement.objects.exists()


@pytest.mark.parametrize("end", ["", "9999-12-31"])
def test_a_term_license_ends(cast: Cast, end: str) -> None:
    """E1: permanent is no term."""
    term = make_product(license_model=LicenseModel.TERM)
    permanent = None if end else "on"
    response = create(cast, typed(cast, line(0, term.pk, expires_on=end, permanent=permanent)))

    assert line_errors(response) == [{"expires_on": ["A term license needs an expiration date."]}]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"owner": ""}, "owner"),
        ({"owner": "x"}, "owner"),
        ({"owner": str(10**30)}, "owner"),
        ({"contact": ""}, "contact"),
        ({"order_number": "x" * 61}, "order_number"),
        ({"order_number": "x" * 10_000}, "order_number"),
        ({"order_date": "yesterday"}, "order_date"),
    ],
)
def test_bad_heads(cast: Cast, changes: dict[str, Any], field: str) -> None:
    """E1: a sentence at the field."""
    response = create(cast, typed(cast, **changes))

    assert field in response.context["form"].errors
    assert not Entitlement.objects.exists()


def test_accounts_that_cannot_buy(cast: Cast) -> None:
    """A5, E1: inactive, or MOBOTIX itself; and a contact of another account."""
    closed = make_account(
        Tier.DISTRIBUTOR, "Closed", sellers=(cast.mobotix.account,), status=AccountStatus.INACTIVE
    )
    for account in (closed, cast.mobotix.account):
        response = create(cast, typed(cast, owner=account.pk, contact=make_contact(account).pk))
        assert response.context["form"].errors["owner"] == ["Choose an active account."]
    response = create(cast, typed(cast, contact=cast.installer.pk))
    assert list(response.context["form"].errors) == ["contact"]
    assert not Entitlement.objects.exists()


def test_an_order_that_exists(cast: Cast) -> None:
    """E7: one order is one entitlement; the lines go there."""
    create(cast, typed(cast))
    response = create(cast, typed(cast))

    assert "Add the lines there." in html_of(response)
    assert Entitlement.objects.count() == 1


def test_the_same_form_twice(cast: Cast) -> None:
    """E7: a double click on Save makes one entitlement, and both answers lead to it."""
    data = typed(cast)
    assert create(cast, data)["Location"] == create(cast, data)["Location"]
    assert Entitlement.objects.count() == 1


@pytest.mark.slow
def test_no_line_at_all(cast: Cast) -> None:
    """E1: also where the browser's list of lines was tampered with."""
    for total in ("0", "", "x", "-1", "100000"):
        response = create(cast, typed(cast, **{"lines-TOTAL_FORMS": total}))
        assert response.status_code == 200, total
    assert not Entitlement.objects.exists()


def test_add_line_without_javascript(cast: Cast) -> None:
    """E1: one line more; what was typed, right or wrong, stays, and is not judged."""
    bad = line(0, cast.product.pk, quantity="1.5", expires_on="soon", permanent=None)
    response = create(cast, typed(cast, bad, step="add", order_number="<b>", key="k1"))
    html = html_of(response)

    assert len(response.context["lines"]) == 2
    for part in ('value="1.5"', 'value="soon"', "&lt;b&gt;", 'value="k1"', "Nordlicht Distribution"):
        assert part in html
    assert "invalid-feedback" not in html
    assert response.context["lines"][0]["product"].value() == str(cast.product.pk)


@pytest.mark.slow
def test_remove_line(cast: Cast) -> None:
    """E1: the line whose button was pressed; a number that there is not changes nothing."""
    rows = [line(n, cast.product.pk, quantity=str(10 + n)) for n in range(3)]
    response = create(cast, typed(cast, *rows, step="remove:1"))
    assert [form["quantity"].value() for form in response.context["lines"]] == ["10", "12"]
    for step in ("remove:9", "remove:-1", "remove:x", "remove:", "²", "remove:" + "9" * 5000):
        assert len(create(cast, typed(cast, *rows, step=step)).context["lines"]) == 3


def test_the_magnifier_carries_the_lines(cast: Cast) -> None:
    """E1: to the picker and back nothing is lost."""
    response = create(cast, typed(cast, line(0, cast.product.pk, quantity="33"), step="pick", key="k2"))
    assert response["Location"].startswith(reverse("account_pick") + "?back=%2Fentitlements%2Fnew%2F")
    assert "csrf" not in response["Location"]
    query = response["Location"].partition("&")[2]
    chosen = f"account={cast.installer.account_id}&contact={cast.installer.pk}"
    page = client_of(cast.mobotix).get(f"{reverse('entitlement_create')}?{query}&{chosen}")
    html = html_of(page)

    for part in (
        'value="33"',
        'value="SO-9"',
        'value="k2"',
        "Blick Sicherheitstechnik",
        cast.installer.email,
    ):
        assert part in html
    assert page.context["lines"][0]["permanent"].value()
