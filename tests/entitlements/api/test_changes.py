"""P3: changing accounts, persons and products, and not unseen: ETag and If-Match (RFC 9110)."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User, UserStatus
from accounts.services.accounts import update_account
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.api.client import assert_problem, program_of
from tests.factories import Cast

# What can be changed: where it stands, a change, and the status of what it answers.
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "account": ("PATCH", "/accounts/{account}", {"city": "Mainz"}),
    "status": ("PUT", "/accounts/{account}/status", {"status": "inactive"}),
    "person": ("PATCH", "/accounts/{account}/persons/{person}", {"phone": "110"}),
    "product": ("PATCH", "/products/{product}", {"unit": "channel"}),
}


def addresses(cast: Cast, name: str) -> tuple[str, str]:
    """Where it is changed, and where it is read."""
    known = {"account": cast.customer.account_id, "person": cast.customer_contact.pk}
    path = CHANGES[name][1].format(product=cast.product.part_number, **known)
    return path, path.removesuffix("/status")


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_what_was_seen_is_made_and_of_anything_else_refused(cast: Cast, name: str) -> None:
    """Each answer brings the ETag of the new state."""
    program, (path, read), (method, _path, body) = (
        program_of(cast.mobotix),
        addresses(cast, name),
        CHANGES[name],
    )
    seen = program.get(read).headers["ETag"]
    stale = program.ask(method, path, body, If_Match='"another"', Idempotency_Key=new_key())
    assert_problem(stale, 412, "changed-meanwhile")
    assert program.get(read).headers["ETag"] == seen
    changed = program.ask(method, path, body, If_Match=seen, Idempotency_Key=new_key())
    assert changed.status_code == 200, changed.content
    assert changed.headers["ETag"] == program.get(read).headers["ETag"] != seen
    assert_problem(
        program.ask(method, path, body, If_Match=seen, Idempotency_Key=new_key()), 412, "changed-meanwhile"
    )
    for condition in ("*", f'"x", {changed.headers["ETag"]}'):
        again = program.ask(method, path, body, If_Match=condition, Idempotency_Key=new_key())
        assert again.status_code == 200, again.content


def test_it_is_compared_under_the_lock(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes it after the request was read."""
    program, path = program_of(cast.installer), f"/accounts/{cast.customer.account_id}"
    seen = program.get(path).headers["ETag"]

    def change_first(**asked: Any) -> Any:
        update_account(actor=cast.installer, account_id=cast.customer.pk, city="Trier")
        return update_account(**asked)

    monkeypatch.setattr("entitlements.api.accounts.update_account", change_first)
    assert_problem(program.ask("PATCH", path, {"city": "Mainz"}, If_Match=seen), 412, "changed-meanwhile")
    cast.customer.refresh_from_db()
    assert cast.customer.city == "Trier"


def test_what_is_new_brings_its_etag(cast: Cast) -> None:
    program = program_of(cast.installer)
    made = program.post("/accounts", {"name": "New Company", "tier": "end_customer", "country": "DE"})
    read = program.get(made.headers["Location"].partition("/api/v1")[2])
    assert made.headers["ETag"] == read.headers["ETag"]


def test_a_contact_is_changed_and_set_inactive(cast: Cast) -> None:
    """U1: and active again; what is left out stays."""
    program, contact = program_of(cast.installer), cast.customer_contact
    path = f"/accounts/{cast.customer.account_id}/persons/{contact.pk}"
    before = program.get(path).json()
    changed = program.ask("PATCH", path, {"email": "New@Hospital.example", "language": "de"})
    assert changed.json() == before | {"email": "New@Hospital.example", "language": "de"}
    inactive = program.ask("PATCH", path, {"status": "inactive"})
    assert inactive.json()["status"] == "inactive"
    contact.refresh_from_db()
    assert contact.status == UserStatus.INACTIVE
    assert program.ask("PATCH", path, {"status": "active"}).json()["status"] == "active"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "email": ({"email": "no address"}, "invalid"),
    "last_name": ({"last_name": ""}, "required"),
    "can_log_in": ({"can_log_in": True}, "unknown-field"),
    "status": ({"status": "asleep"}, "invalid-choice"),
}


@pytest.mark.parametrize("field", REFUSED)
def test_what_a_contact_cannot_become(cast: Cast, field: str) -> None:
    body, code = REFUSED[field]
    path = f"/accounts/{cast.customer.account_id}/persons/{cast.customer_contact.pk}"
    found = assert_problem(
        program_of(cast.installer).ask("PATCH", path, body), 422, "refused", fields=(field,)
    )
    assert found["codes"][field] == [code]


@pytest.mark.parametrize("whose", ["own", "another's"])
def test_a_token_changes_no_login(cast: Cast, whose: str) -> None:
    """U4: whoever steals one must not send credentials to an address of its own, nor lock the admins out."""
    find: dict[str, Callable[[], User]] = {
        "own": lambda: cast.installer_viewer,
        "another's": lambda: cast.installer,
    }
    user, actor = find[whose](), {"own": cast.installer, "another's": cast.distributor}[whose]
    path = f"/accounts/{user.account.account_id}/persons/{user.pk}"
    for body in ({"email": "thief@evil.example"}, {"status": "inactive"}):
        answer = program_of(actor).ask("PATCH", path, body)
        assert assert_problem(answer, 422, "refused")["code"] == "login-in-portal"
    assert not Mail.objects.filter(recipient_email="thief@evil.example").exists()
