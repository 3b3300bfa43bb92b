"""E2, E5, E12: line items, as each token may see them."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from tests.entitlements.api.client import Program, assert_problem, mistyped, program_of
from tests.factories import Cast, Chain, issue_item, make_product, split_item, yesterday


def ids(program: Program, path: str) -> list[int]:
    return [item["id"] for item in program.get(path).json()["items"]]


def test_an_item_as_its_owner_sees_it(cast: Cast, chain: Chain) -> None:
    item = chain.installed
    assert program_of(cast.installer).get(f"/items/{item.pk}").json() == {
        "id": item.pk,
        "activation_id": item.activation_id,
        "activation_id_in_full": True,
        "entitlement_id": item.entitlement.entitlement_id,
        "part_number": cast.product.part_number,
        "product": "Video Analytics",
        "unit": "license",
        "quantity": 40,
        "available": 35,
        "split": 5,
        "activated": 0,
        "starts_on": item.starts_on.isoformat(),
        "expires_on": None,
        "state": "deployed",
        "is_expired": False,
        "owner": "Blick Sicherheitstechnik",
        "owner_account_id": cast.installer.account.account_id,
        "order_number": "",
    }


def test_further_up_the_chain_name_and_id_are_withheld(cast: Cast, chain: Chain) -> None:
    """A4, E5: the distributor sees that there is an item of the installer's customer, and no more."""
    answer = program_of(cast.distributor).get(f"/items/{chain.served.pk}")
    item = answer.json()
    assert item["activation_id"] == f"…-{chain.served.activation_id_tail}"
    assert (item["activation_id_in_full"], item["owner"], item["owner_account_id"]) == (False, None, None)
    assert "City Hospital" not in answer.content.decode()
    Account.objects.filter(pk=cast.customer.pk).update(visible_to_partners=True)
    assert program_of(cast.distributor).get(f"/items/{chain.served.pk}").json()["owner"] == "City Hospital"


def test_strangers_see_nothing(cast: Cast, chain: Chain) -> None:
    """E12."""
    for stranger in (cast.sibling_installer, cast.other_installer, cast.other_distributor):
        program = program_of(stranger)
        assert ids(program, "/items") == []
        assert_problem(program.get(f"/items/{chain.installed.pk}"), 404, "not-found")


def test_the_filters_of_the_list(cast: Cast, chain: Chain) -> None:
    other = make_product("Mx-OTHER")
    expired = issue_item(cast, product_id=other.pk, starts_on=yesterday(), expires_on=yesterday())
    draft = issue_item(cast, deploy=False)
    program = program_of(cast.distributor)
    issued, installed, served = chain.issued.pk, chain.installed.pk, chain.served.pk
    assert ids(program, "/items") == [expired.pk, served, installed, issued]
    assert draft.pk in ids(program_of(cast.mobotix), "/items?state=draft")
    assert ids(program, "/items?shown=ours") == [expired.pk, issued]
    assert ids(program, "/items?shown=sold") == [installed]
    assert ids(program, "/items?shown=below") == [served]
    assert ids(program, "/items?part_number=mx-other") == [expired.pk]
    assert ids(program, "/items?part_number=no-such") == []
    assert ids(program, "/items?expired=true") == [expired.pk]
    assert ids(program, f"/items?entitlement_id={chain.installed.entitlement.entitlement_id}") == [installed]
    assert ids(program, "/items?sort=expiration")[0] == expired.pk
    assert_problem(program.get("/items?shown=nothing"), 422, "refused", fields=("shown",))


def test_pages_follow_one_another(cast: Cast, chain: Chain) -> None:
    """P4: every item once, whatever the page's length."""
    split_item(cast.distributor, chain.issued, cast.installer.account, copies=1)
    program = program_of(cast.distributor)
    all_ids, path, found = ids(program, "/items"), "/items?limit=2&sort=newest", []
    while path:
        page = program.get(path).json()
        found += [item["id"] for item in page["items"]]
        path = (page["next"] or "").partition("/api/v1")[2]
    assert found == all_ids
    assert len(found) == 4
    assert_problem(program.get("/items?limit=101"), 422, "refused", fields=("limit",))


@pytest.mark.parametrize("rows", [1, 3])
def test_a_page_has_a_fixed_number_of_queries(
    cast: Cast, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Token, items, two for names, the log, and when the token was used last."""
    for _ in range(rows):
        issue_item(cast)
    program = program_of(cast.distributor)
    program.get("/items")
    with django_assert_num_queries(6):
        assert len(program.get("/items").json()["items"]) == rows


def test_an_item_is_found_by_its_activation_id(cast: Cast, chain: Chain) -> None:
    """E5: in any form, for those who may read it in full; up the chain it finds nothing."""
    program, typed = program_of(cast.installer), chain.served.activation_id.lower().replace("-", " ")
    assert program.post("/items/search", {"activation_id": typed}).json()["id"] == chain.served.pk
    wrong = program.post("/items/search", {"activation_id": mistyped(chain.served.activation_id)})
    assert_problem(wrong, 422, "refused", fields=("activation_id",))
    for other in (cast.distributor, cast.sibling_installer):
        answer = program_of(other).post("/items/search", {"activation_id": chain.served.activation_id})
        assert_problem(answer, 404, "not-found")
