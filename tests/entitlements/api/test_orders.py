"""E1, E3, E15: MOBOTIX's ERP: products, orders, changes and cancellations."""

from typing import Any

import pytest

from entitlements.api import orders
from entitlements.models import Entitlement, LineItem, Product, today
from notifications.models import Mail
from tests.entitlements.api.client import Program, assert_problem, program_of
from tests.factories import Cast, Chain, issue_item, make_product

PRODUCT = {"part_number": "Mx-NEW/1", "name_en": "New", "name_de": "Neu", "license_model": "term"}


@pytest.fixture
def erp(cast: Cast) -> Program:
    return program_of(cast.mobotix, "read", "orders")


def order(cast: Cast, **fields: Any) -> dict[str, Any]:
    line = {
        "part_number": cast.product.part_number.lower(),
        "quantity": 7,
        "starts_on": today().isoformat(),
    }
    return {
        "account_id": cast.distributor.account.account_id,
        "contact_email": cast.distributor.email.upper(),
        "order_number": "PO-1",
        "order_date": "2026-11-20",
        "lines": [line],
    } | fields


# --- Products ---------------------------------------------------------------------------------------------------------


def test_a_product_is_created_and_changed(erp: Program) -> None:
    made = erp.post("/products", PRODUCT)
    assert made.status_code == 201, made.content
    assert made.json() == PRODUCT | {
        "description_en": "",
        "description_de": "",
        "unit": "license",
        "is_active": True,
    }
    changed = erp.ask("PATCH", "/products/mx-new/1", {"is_active": False}, Idempotency_Key="a")
    assert changed.json() == made.json() | {"is_active": False}
    assert erp.get("/products?part_number=mx-NEW/1").json()["items"] == [changed.json()]
    assert_problem(erp.post("/products", PRODUCT), 422, "refused", fields=("part_number",))
    assert_problem(erp.post("/products", PRODUCT | {"name_de": ""}), 422, "refused", fields=("name_de",))


def test_partners_read_products_and_make_none(cast: Cast) -> None:
    program = program_of(cast.distributor)
    assert program.get("/products").json()["items"][0]["part_number"] == cast.product.part_number
    assert_problem(program.post("/products", PRODUCT), 403, "forbidden")
    assert Product.objects.count() == 1


# --- Orders -----------------------------------------------------------------------------------------------------------


def test_an_order_is_deployed_and_mailed_at_once(cast: Cast, erp: Program) -> None:
    """E1: Activation IDs come back with the answer."""
    made = erp.post("/entitlements", order(cast))
    assert made.status_code == 201, made.content
    item = LineItem.objects.get()
    assert made.json() == {
        "entitlement_id": item.entitlement.entitlement_id,
        "owner": "Nordlicht Distribution",
        "seller": "MOBOTIX AG",
        "order_number": "PO-1",
        "order_date": "2026-11-20",
        "lines": [erp.get(f"/items/{item.pk}").json()],
    }
    line = made.json()["lines"][0]
    assert (line["activation_id"], line["state"], line["quantity"]) == (item.activation_id, "deployed", 7)
    assert [mail.recipient_email for mail in Mail.objects.all()] == [cast.distributor.email]
    assert erp.get("/entitlements?order_number=PO-1").json()["items"] == [made.json()]
    assert erp.get("/entitlements?order_number=PO-2").json()["items"] == []


def test_an_order_can_wait(cast: Cast, erp: Program) -> None:
    """As drafts, with more lines, deployed later without a mail."""
    made = erp.post("/entitlements", order(cast, deploy=False)).json()
    address = f"/entitlements/{made['entitlement_id']}"
    more = erp.post(
        f"{address}/lines",
        {name: order(cast)[name] for name in ("contact_email", "lines")} | {"deploy": False},
    )
    assert more.status_code == 201, more.content
    assert [line["state"] for line in more.json()["lines"]] == ["draft", "draft"]
    assert_problem(program_of(cast.distributor).get(address), 404, "not-found")
    deployed = erp.post(f"{address}/deploy", {"send_mail": False})
    assert [line["state"] for line in deployed.json()["lines"]] == ["deployed", "deployed"]
    assert program_of(cast.distributor).get(address).status_code == 200
    assert not Mail.objects.exists()


def test_the_same_key_gives_the_same_order(cast: Cast, erp: Program) -> None:
    """P2."""
    first, again = (erp.post("/entitlements", order(cast), key="PO-1") for _ in range(2))
    assert first.json() == again.json()
    assert_problem(erp.post("/entitlements", order(cast, order_number="2"), key="PO-1"), 409, "key-reused")
    assert_problem(erp.post("/entitlements", order(cast)), 422, "refused", fields=("order_number",))
    assert Entitlement.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account_id": "NOBODY"}, "account_id"),
        ({"contact_email": "nobody@example.com"}, "contact_email"),
        ({"lines": []}, "lines"),
        ({"order_date": "tomorrow"}, "order_date"),
        ({"order_number": "x" * 61}, "order_number"),
    ],
)
def test_orders_that_are_refused(cast: Cast, erp: Program, changes: dict[str, Any], field: str) -> None:
    assert_problem(erp.post("/entitlements", order(cast, **changes)), 422, "refused", fields=(field,))
    assert not Entitlement.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"part_number": "none"}, "lines.0.part_number"),
        ({"quantity": 0}, "lines.0.quantity"),
        ({"quantity": "7"}, "lines.0.quantity"),
        ({"quantity": 10**12}, "lines.0.quantity"),
        ({"expires_on": "2020-01-01"}, "lines"),
    ],
)
def test_lines_that_are_refused(cast: Cast, erp: Program, changes: dict[str, Any], field: str) -> None:
    body = order(cast)
    body["lines"][0] |= changes
    assert_problem(erp.post("/entitlements", body), 422, "refused", fields=(field,))


def test_orders_are_mobotixs(cast: Cast) -> None:
    """E1: whatever scopes a partner's token has."""
    program = program_of(cast.distributor)
    assert_problem(program.post("/entitlements", order(cast)), 403, "forbidden")


def test_an_order_as_others_see_it(cast: Cast, chain: Chain) -> None:
    """A4, E7: the installer's order with its customer, as the distributor sees it, has no name and no number."""
    Entitlement.objects.filter(pk=chain.served.entitlement_id).update(order_number="PO-77")
    address = f"/entitlements/{chain.served.entitlement.entitlement_id}"
    answer = program_of(cast.distributor).get(address)
    found = answer.json()
    assert (found["owner"], found["order_number"], found["order_date"]) == (None, "", None)
    assert found["seller"] == "Blick Sicherheitstechnik"
    assert "City Hospital" not in answer.content.decode()
    assert chain.served.activation_id not in answer.content.decode()
    assert program_of(cast.distributor).get("/entitlements?order_number=PO-77").json()["items"] == []
    own = program_of(cast.installer)
    assert own.get("/entitlements?order_number=PO-77").json()["items"][0]["owner"] == "City Hospital"
    assert_problem(program_of(cast.sibling_installer).get(address), 404, "not-found")


# --- Changes ----------------------------------------------------------------------------------------------------------


def test_a_cancellation(cast: Cast, erp: Program, chain: Chain) -> None:
    """E3: of an item and all that was split from it; a reason where others sold it."""
    address = f"/items/{chain.installed.pk}/state"
    assert_problem(erp.post(address, {"state": "obsolete"}), 422, "refused", fields=("reason",))
    body = {"state": "obsolete", "with_splits": True, "reason": "Order cancelled"}
    done = erp.post(address, body, key="cancel-1")
    assert done.json()["state"] == "obsolete"
    assert erp.post(address, body, key="cancel-1").json() == done.json()
    chain.served.refresh_from_db()
    assert chain.served.state == "obsolete"
    assert_problem(erp.post(address, body), 422, "refused", fields=("state",))


def test_a_quantity_is_corrected(cast: Cast, erp: Program) -> None:
    """E15."""
    item = issue_item(cast, quantity=10, product_id=make_product().pk)
    address = f"/items/{item.pk}/quantity"
    raised = erp.post(address, {"correction": "raise", "copies": 5, "reason": "Ordered more"})
    assert raised.json()["quantity"] == 15
    lowered = erp.post(address, {"correction": "lower", "copies": 15, "reason": "Cancelled"})
    assert (lowered.json()["quantity"], lowered.json()["state"]) == (0, "obsolete")
    assert_problem(erp.post(address, {"correction": "raise"}), 422, "refused", fields=("reason",))
    assert_problem(
        program_of(cast.distributor).post(address, {"correction": "raise", "reason": "x"}), 403, "forbidden"
    )


@pytest.mark.parametrize("rows", [1, 3])
def test_a_page_has_a_fixed_number_of_queries(cast: Cast, rows: int, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        issue_item(cast)
    program = program_of(cast.distributor)
    program.get("/entitlements")
    with django_assert_num_queries(8):
        assert len(program.get("/entitlements").json()["items"]) == rows


def test_a_large_order_crowds_out_no_other(cast: Cast, erp: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """E7: each order shows its own first lines, and its number to its parties."""
    monkeypatch.setattr(orders, "LINES_SHOWN", 1)
    line = order(cast)["lines"][0]
    for number, lines in (("PO-1", 3), ("PO-2", 1)):
        assert (
            erp.post("/entitlements", order(cast, order_number=number, lines=[line] * lines)).status_code
            == 201
        )
    listed = program_of(cast.distributor).get("/entitlements").json()["items"]
    assert [(one["order_number"], len(one["lines"])) for one in listed] == [("PO-2", 1), ("PO-1", 1)]


def test_products_of_an_order_are_looked_up_at_once(cast: Cast, django_assert_num_queries: Any) -> None:
    """However many there are, in any letter case."""
    products = [make_product(f"Mx-Part-{number}") for number in range(3)]
    lines = [
        orders.LineIn(part_number=product.part_number.lower(), quantity=1, starts_on=today())
        for product in products
    ]
    with django_assert_num_queries(1):
        assert [line.product_id for line in orders._lines(lines)] == [product.pk for product in products]
