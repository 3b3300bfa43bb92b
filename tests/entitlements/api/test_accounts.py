"""A2–A5, U1–U5: accounts and their persons through the API, refused as on the pages."""

from typing import Any

import pytest

from accounts.models import Account, SellingRelation, Tier, User
from notifications.models import Mail
from tests.entitlements.api.client import assert_problem, program_of
from tests.factories import Cast, make_account, make_contact

PERSON = {"first_name": "Nina", "last_name": "Neu", "email": "nina@new.example"}


def new(**fields: Any) -> dict[str, Any]:
    return {"name": "New Company", "tier": "end_customer", "country": "DE"} | fields


@pytest.mark.slow
def test_a_customer_is_created_with_its_contact(cast: Cast) -> None:
    """A2: the token's account becomes its seller; the answer is what the list shows."""
    program = program_of(cast.installer)
    made = program.post("/accounts", new(city="Kaiserslautern", person=PERSON))
    assert made.status_code == 201, made.content
    account = Account.objects.get(account_id=made.json()["account_id"])
    assert (account.name, account.tier, account.country, account.city) == (
        "New Company",
        Tier.END_CUSTOMER,
        "DE",
        "Kaiserslautern",
    )
    assert SellingRelation.objects.get(buyer=account).seller == cast.installer.account
    contact = account.users.get()
    assert (contact.email, contact.can_log_in) == ("nina@new.example", False)
    assert program.get(f"/accounts/{account.account_id.lower()}").json() == made.json()
    assert program.get("/accounts?q=new comp").json()["items"] == [made.json()]
    (person,) = program.get(f"/accounts/{account.account_id}/persons").json()["items"]
    assert (person["id"], person["email"]) == (contact.pk, contact.email)


def test_a_partners_first_admin_gets_credentials(cast: Cast) -> None:
    """U4."""
    body = new(tier="distributor", account_id="NEW-1", person=PERSON | {"can_log_in": True, "language": "de"})
    assert program_of(cast.mobotix, "orders").post("/accounts", body).status_code == 201
    user = User.objects.get(login="nina@new.example")
    assert user.is_admin
    assert (user.account.account_id, user.language) == ("NEW-1", "de")
    assert [mail.kind for mail in user.mails.all()] == ["accounts.credentials"]


def test_the_same_key_makes_one_account(cast: Cast) -> None:
    """P2: with a proposed Account ID, too; another body under the same key is refused."""
    program = program_of(cast.installer)
    first, again = (program.post("/accounts", new(person=PERSON), key="order-1") for _ in range(2))
    assert again.status_code == 201
    assert again.json() == first.json()
    other = program.post("/accounts", new(person=PERSON, city="Langmeil"), key="order-1")
    assert_problem(other, 409, "key-reused")
    assert Account.objects.filter(name="New Company").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"tier": "mobotix"}, "tier"),
        ({"tier": "distributor"}, "tier"),
        ({"tier": "nothing"}, "tier"),
        ({"account_id": "-x"}, "account_id"),
        ({"country": "XX"}, "country"),
        ({"website": "no address"}, "website"),
        ({"nmae": "typing error"}, "nmae"),
        ({"person": PERSON | {"email": "no address"}}, "person.email"),
        ({"person": PERSON | {"can_log_in": True}}, "person.can_log_in"),
        ({"person": {"first_name": "Nina"}}, ("person.email", "person.last_name")),
    ],
)
def test_what_is_refused(cast: Cast, changes: dict[str, Any], field: Any) -> None:
    """At its field, and nothing is made: neither the account nor its person."""
    before = Account.objects.count()
    answer = program_of(cast.installer).post("/accounts", new(**changes))
    assert_problem(answer, 422, "refused", fields=(field,) if isinstance(field, str) else field)
    assert Account.objects.count() == before


def test_an_account_id_that_is_taken(cast: Cast) -> None:
    """A3: whoever has it, the answer is the same, and proposes a free one."""
    body = new(account_id=cast.other_installer.account.account_id.lower())
    found = assert_problem(
        program_of(cast.installer).post("/accounts", body), 422, "refused", fields=("account_id",)
    )
    assert "Outside" not in str(found)


def test_changes_and_status(cast: Cast) -> None:
    """A3, A5: what is left out stays as it is."""
    program, address = program_of(cast.installer), f"/accounts/{cast.customer.account_id}"
    changed = program.ask("PATCH", address, {"city": "Langmeil"})
    assert changed.status_code == 200, changed.content
    assert (changed.json()["city"], changed.json()["name"]) == ("Langmeil", "City Hospital")
    assert_problem(program.ask("PATCH", address, {"name": ""}), 422, "refused", fields=("name",))
    assert program.ask("PUT", f"{address}/status", {"status": "inactive"}).json()["status"] == "inactive"
    own = f"/accounts/{cast.installer.account.account_id}/status"
    assert_problem(program.ask("PUT", own, {"status": "inactive"}), 404, "not-found")


def test_contacts_of_ones_customers(cast: Cast) -> None:
    """U4: no login is made here, and no other's customer gets a contact."""
    program = program_of(cast.installer)
    address = f"/accounts/{cast.customer.account_id}/persons"
    made = program.post(address, PERSON)
    assert made.status_code == 201, made.content
    assert not User.objects.get(pk=made.json()["id"]).can_log_in
    assert_problem(program.post(address, PERSON), 422, "refused", fields=("email",))
    assert_problem(
        program.post(address, PERSON | {"can_log_in": True}), 422, "refused", fields=("can_log_in",)
    )
    stranger = program_of(cast.other_installer)
    assert_problem(stranger.post(address, PERSON), 404, "not-found")
    assert not Mail.objects.exists()


def test_what_others_see(cast: Cast) -> None:
    """A4: whoever may not open an account finds nothing of it."""
    make_contact(cast.customer, email="secret@hospital.example")
    for stranger in (cast.distributor, cast.sibling_installer, cast.other_distributor):
        program = program_of(stranger)
        for path in ("", "/persons"):
            answer = program.get(f"/accounts/{cast.customer.account_id}{path}")
            assert_problem(answer, 404, "not-found")
        assert "City Hospital" not in program.get("/accounts").content.decode()
        assert program.get("/accounts?q=City").json()["items"] == []


@pytest.mark.parametrize("rows", [1, 3])
def test_a_page_has_a_fixed_number_of_queries(cast: Cast, rows: int, django_assert_num_queries: Any) -> None:
    for number in range(rows):
        make_account(Tier.END_CUSTOMER, f"Customer {number}", sellers=(cast.sibling_installer.account,))
    program = program_of(cast.sibling_installer)
    program.get("/accounts")
    with django_assert_num_queries(3):
        assert len(program.get("/accounts").json()["items"]) == rows
