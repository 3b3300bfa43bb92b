"""E6–E9: split, undo, e-mail, certificate, bulk split, through the API."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from entitlements.models import BulkSplit, LineItem
from notifications.models import Mail
from tests.entitlements.api.client import CLIENT, assert_problem, program_of
from tests.factories import Cast, Chain


def split_of(cast: Cast, **fields: Any) -> dict[str, Any]:
    """To the installer's customer."""
    return {
        "account_id": cast.customer.account_id,
        "contact_email": cast.customer_contact.email,
        "copies": 3,
    } | fields


def test_a_split(cast: Cast, chain: Chain) -> None:
    """E7: the new item with its Activation ID; the same key splits once."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    made, again = (program.post(address, split_of(cast, order_number="PO-3"), key="k") for _ in range(2))
    assert made.status_code == again.status_code == 201, made.content
    assert made.json() == again.json()
    item = LineItem.objects.get(pk=made.json()["id"])
    assert (item.parent_id, item.quantity, item.owner) == (chain.installed.pk, 3, cast.customer)
    assert made.json()["activation_id"] == item.activation_id
    assert made.json()["order_number"] == "PO-3"
    (mail,) = program.get(f"/items/{item.pk}/mails").json()
    assert mail["recipient"] == cast.customer_contact.email
    assert_problem(program.post(address, split_of(cast, copies=4), key="k"), 409, "key-reused")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"copies": 36}, "copies"),
        ({"copies": 0}, "copies"),
        ({"copies": 1.5}, "copies"),
        ({"copies": True}, "copies"),
        ({"account_id": "NOBODY"}, "account_id"),
        ({"contact_email": "nobody@example.com"}, "contact_email"),
        ({"order_number": "a\u0007b"}, "order_number"),
    ],
)
def test_splits_that_are_refused(cast: Cast, chain: Chain, changes: dict[str, Any], field: str) -> None:
    """E6."""
    answer = program_of(cast.installer).post(f"/items/{chain.installed.pk}/splits", split_of(cast, **changes))
    assert_problem(answer, 422, "refused", fields=(field,))
    assert LineItem.objects.count() == 3


def test_a_strangers_account_and_none_get_the_same_answer(cast: Cast, chain: Chain) -> None:
    """E6: other sellers' accounts cannot be probed."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    unknown, strange = (
        program.post(address, split_of(cast, account_id=account_id)).json()
        for account_id in ("NOBODY", cast.other_installer.account.account_id)
    )
    assert unknown == strange


@pytest.mark.parametrize("key", ["", "x" * 65, "a\tb"])
def test_a_key_is_needed(cast: Cast, chain: Chain, key: str) -> None:
    """P2."""
    answer = program_of(cast.installer).post(f"/items/{chain.installed.pk}/splits", split_of(cast), key=key)
    assert_problem(answer, 400, "key-missing")
    assert LineItem.objects.count() == 3


def test_without_the_header_it_is_missing(cast: Cast, chain: Chain) -> None:
    """P2: and what else is wrong does not hide it."""
    answer = program_of(cast.installer).ask("POST", f"/items/{chain.installed.pk}/splits", {"copies": "?"})
    assert_problem(answer, 400, "key-missing")


def test_what_is_no_json(cast: Cast, chain: Chain) -> None:
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    assert_problem(program.post(address, b'{"copies": 1, "copies": 2}'), 400, "unreadable")
    assert_problem(program.post(address, b" " * (1024 * 1024 + 1)), 413, "too-large")
    assert_problem(CLIENT.post("/api/v1/activations", CONTENT_LENGTH="9" * 5000), 413, "too-large")
    assert_problem(program.post(address, b"[]"), 422, "refused", fields=("body",))
    form = {"data": "copies=1", "content_type": "application/x-www-form-urlencoded"}
    client = Client(headers={"Authorization": f"Bearer {program.secret}", "Idempotency-Key": "k"})
    assert_problem(client.post(f"/api/v1{address}", **form), 415, "unsupported-media-type")


def test_an_undo(cast: Cast, chain: Chain) -> None:
    """E8: by the seller; the buyer hands back by the same step."""
    address = f"/items/{chain.served.pk}/undo"
    undone = program_of(cast.installer).post(address, {"copies": 2}, key="u")
    assert undone.json()["quantity"] == 3
    assert program_of(cast.installer, "sell").post(address, {"copies": 9}).status_code == 422
    back = program_of(cast.installer).post(f"/items/{chain.installed.pk}/undo", {"copies": 1})
    assert back.json()["quantity"] == 39
    assert_problem(program_of(cast.distributor).post(address, {"copies": 1}), 403, "forbidden")
    assert_problem(program_of(cast.sibling_installer).post(address, {"copies": 1}), 404, "not-found")


def test_a_mail(cast: Cast, chain: Chain) -> None:
    """E9, N2: its fate is read by those who are party to the item."""
    program, address = program_of(cast.installer), f"/items/{chain.served.pk}/mails"
    body = {"recipients": ["a@hospital.example", "A@hospital.example", "b@hospital.example"]}
    sent, again = (program.post(address, body, key="m") for _ in range(2))
    assert sent.status_code == 202, sent.content
    assert [mail["recipient"] for mail in sent.json()] == ["A@hospital.example", "b@hospital.example"]
    assert again.json() == sent.json()
    assert Mail.objects.filter(request_key="m").count() == 2
    assert_problem(program.post(address, {"recipients": ["no address"]}), 422, "refused")
    assert_problem(program_of(cast.distributor).get(address), 403, "forbidden")


def test_a_mail_with_license_files(cast: Cast, chain: Chain) -> None:
    """L5: as on the page: those that are valid when it is delivered."""
    program, address = program_of(cast.installer), f"/items/{chain.served.pk}/mails"
    body = {"recipients": ["a@hospital.example"], "attach_licenses": True}
    assert program.post(address, body).status_code == 202
    assert Mail.objects.latest("pk").context["licenses"] is True
    assert program.post(address, body | {"attach_licenses": False}).status_code == 202
    assert "licenses" not in Mail.objects.latest("pk").context


# --- Certificates -----------------------------------------------------------------------------------------------------


def test_certificates(cast: Cast, chain: Chain) -> None:
    """E10, L7: for owner, seller, serving account and MOBOTIX."""
    program = program_of(cast.installer, "read")
    pdf = program.get(f"/items/{chain.installed.pk}/certificate.pdf?whole_entitlement=true&language=de")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["Content-Type"] == "application/pdf"
    data = json.loads(program.get(f"/items/{chain.installed.pk}/certificate.json?language=de").content)
    assert data["certificate"]["lines"][0]["activation_id"] == chain.installed.activation_id
    assert data["certificate"]["language"] == "de"
    upstream = program_of(cast.distributor)
    for kind in ("pdf", "json"):
        assert_problem(upstream.get(f"/items/{chain.served.pk}/certificate.{kind}"), 403, "forbidden")
    program_of(cast.mobotix).post(f"/items/{chain.issued.pk}/state", {"state": "obsolete", "reason": "Gone"})
    answer = program_of(cast.distributor).get(f"/items/{chain.issued.pk}/certificate.pdf")
    assert_problem(answer, 409, "no-certificate")


# --- Bulk split -------------------------------------------------------------------------------------------------------


def bulk_of(cast: Cast, chain: Chain, *amounts: int, **fields: Any) -> dict[str, Any]:
    line = {"account_id": cast.customer.account_id, "email": cast.customer_contact.email}
    lines = [line | {"amount": amount} for amount in amounts]
    return {"item_ids": [chain.installed.pk], "lines": lines} | fields


def test_a_bulk_split_and_its_undo(cast: Cast, chain: Chain) -> None:
    """E7: all lines, in their order; the same key splits once."""
    program = program_of(cast.installer)
    made, again = (program.post("/bulk-splits", bulk_of(cast, chain, 2, 3, 4), key="b") for _ in range(2))
    assert made.status_code == 201, made.content
    assert again.json() == made.json()
    address = f"/bulk-splits/{made.json()['id']}"
    assert made.json() == program.get(address).json()
    assert (made.json()["state"], made.json()["line_count"], made.json()["copies"]) == ("done", 3, 9)
    page = program.get(f"{address}/items?limit=2").json()
    rest = program.get(page["next"].partition("/api/v1")[2]).json()
    items = page["items"] + rest["items"]
    assert [item["quantity"] for item in items] == [2, 3, 4]
    assert all(item["activation_id_in_full"] for item in items)
    undone = program.post(f"{address}/undo", {}, key="bu")
    assert (undone.status_code, undone.json()["state"]) == (202, "undoing"), undone.content
    assert program.get(address).json() == undone.json() | {"state": "undone"}
    assert program.post(f"{address}/undo", {}, key="bu").content == undone.content, (
        "the answer, not how it stands"
    )
    assert_problem(program_of(cast.distributor).get(address), 404, "not-found")


def test_wrong_lines_are_named_and_nothing_is_split(cast: Cast, chain: Chain) -> None:
    body = bulk_of(cast, chain, 2, 3)
    body["lines"][1]["account_id"] = cast.other_installer.account.account_id
    answer = program_of(cast.installer).post("/bulk-splits", body)
    found = assert_problem(answer, 422, "refused", fields=("lines.1.account_id",))
    assert "Outside" not in str(found)
    too_much = program_of(cast.installer).post("/bulk-splits", bulk_of(cast, chain, 30, 30))
    assert too_much.status_code == 422
    assert not BulkSplit.objects.exists()


def test_new_customers_are_made_where_it_is_said(cast: Cast, chain: Chain) -> None:
    body = bulk_of(cast, chain, 1, create_customers=True)
    body["lines"][0] = {
        "email": "neu@shop.example",
        "amount": 1,
        "account_name": "Corner Shop",
        "country": "DE",
        "first_name": "Nina",
        "last_name": "Neu",
    }
    assert program_of(cast.installer).post("/bulk-splits", body).status_code == 201
    assert Account.objects.get(name="Corner Shop").line_items.get().quantity == 1
