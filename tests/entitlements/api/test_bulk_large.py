"""P3: the largest bulk split by one request: 10,000 lines, each with a new customer and its contact."""

import json

import pytest

from accounts.models import Account, Tier
from entitlements.api.middleware import MAX_BODY_MB, MAX_BULK_BODY_MB, MEGABYTE
from entitlements.bulk.services.lines import MAX_BULK_LINES
from entitlements.ledger.verification import differences
from mxportal.shared.database import allow_long_statements
from tests.entitlements.api.client import Program, assert_problem, program_of
from tests.factories import issue_item, make_cast

pytestmark = pytest.mark.django_db


MORE_THAN_A_BATCH = 1_001
sizes = pytest.mark.parametrize(
    "count",
    [
        pytest.param(MORE_THAN_A_BATCH, marks=pytest.mark.once("the largest comes on PostgreSQL")),
        pytest.param(MAX_BULK_LINES, marks=pytest.mark.postgres),
    ],
)


def body_of(item_id: int, count: int) -> bytes:
    """A request with so many lines, each with a new customer and its contact."""
    lines = [
        {
            "account_id": f"CUSTOMER-{number}",
            "account_name": f"A customer of some length, number {number}",
            "country": "DE",
            "first_name": "Katharina",
            "last_name": f"Mustermann-Beispiel {number}",
            "email": f"katharina.mustermann.{number}@customer-{number}.example",
            "amount": 1,
            "order_number": f"PO-2026-{number}",
        }
        for number in range(count)
    ]
    return json.dumps({"item_ids": [item_id], "lines": lines, "create_customers": True}).encode()


@pytest.mark.slow
@sizes
def test_a_new_customer_in_each_line(count: int) -> None:
    """All of them are split to, and their answer replays (E7). SQLite gets 10,000 lines in bulk/test_large.py."""
    cast = make_cast()
    item = issue_item(cast, quantity=count)
    body = body_of(item.pk, count)
    program = program_of(cast.distributor)
    made = program.post("/bulk-splits", body, key="all")
    assert made.status_code == 201, made.content[:1000]
    assert (made.json()["state"], made.json()["copies"]) == ("done", count)
    customers = Account.objects.filter(tier=Tier.END_CUSTOMER, account_id__startswith="CUSTOMER-")
    assert customers.count() == count
    assert not list(differences())
    assert program.post("/bulk-splits", body, key="all").content == made.content
    allow_long_statements()  # the end of a test checks the foreign keys of all rows in one statement


def test_the_largest_is_no_larger_than_allowed() -> None:
    """It needs the larger limit, of which it fills no half."""
    assert MAX_BODY_MB * MEGABYTE < len(body_of(1, MAX_BULK_LINES)) < MAX_BULK_BODY_MB * MEGABYTE / 2


def test_what_is_larger_is_refused_unread() -> None:
    """And without a token, or elsewhere, what is larger than any other body."""
    cast = make_cast()
    large, larger = b" " * (MAX_BODY_MB * MEGABYTE + 1), b" " * (MAX_BULK_BODY_MB * MEGABYTE + 1)
    program = program_of(cast.distributor)
    assert_problem(program.post("/bulk-splits", larger), 413, "too-large")
    assert_problem(program.post("/items/search", large), 413, "too-large")
    assert_problem(Program().post("/bulk-splits", large), 413, "too-large")
    assert_problem(program.post("/bulk-splits", large), 400, "unreadable")
