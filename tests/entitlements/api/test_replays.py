"""P2: the same key gives the same answer, byte by byte, as long as it is kept."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from accounts.models import KeptAnswer, Operation
from accounts.services import kept_answers
from accounts.services.api_tokens import new_secret, take_over_api_token
from accounts.services.kept_answers import drop_old_answers
from entitlements.models import LineItem
from mxportal.shared.forms import new_key
from tests.entitlements.api.client import ROOT, Program, assert_problem, program_of
from tests.entitlements.api.test_matrix import DESCRIBED, READS_BY_POST
from tests.entitlements.api.world import World
from tests.factories import Cast, Chain, make_token, make_user

KEYED = [
    name for name, (method, _path) in DESCRIBED.items() if method == "post" and name not in READS_BY_POST
]


def split_of(cast: Cast, copies: int) -> dict[str, Any]:
    """To the installer's customer."""
    contact = cast.customer_contact
    return {"account_id": cast.customer.account_id, "contact_email": contact.email, "copies": copies}


def assert_replayed(first: Any, again: Any) -> None:
    """What a program can tell apart, but for the mark and what belongs to each request."""
    assert again.content == first.content
    assert again.status_code == first.status_code
    for name in ("Content-Type", "Location", "ETag"):
        assert again.headers.get(name) == first.headers.get(name), name
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )


def test_a_split_that_was_undone_in_part_replays_as_it_was(cast: Cast, chain: Chain) -> None:
    """A split of 5 stays one of 5 in its answer, whatever happened to it later."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    first = program.post(address, split_of(cast, 5), key="five")
    made = first.json()["id"]
    assert program.post(f"/items/{made}/undo", {"copies": 2}).json()["quantity"] == 3
    assert_replayed(first, program.post(address, split_of(cast, 5), key="five"))
    assert first.json()["quantity"] == 5
    assert LineItem.objects.filter(parent=chain.installed).count() == 2  # the chain's own, and this one


def test_an_activation_replays_with_its_file_after_the_return(cast: Cast, chain: Chain) -> None:
    program, on = program_of(cast.installer), {"item_id": chain.served.pk, "host_id": "SN-12345"}
    first = program.post("/activations", on, key="a")
    assert program.post("/returns", on).json()["copies"] == 0
    again = program.post("/activations", on, key="a")
    assert_replayed(first, again)
    assert again.json()["file"].startswith("-----BEGIN MACHINE FILE-----")


def test_what_stands_in_the_way_now_does_not_matter(cast: Cast, chain: Chain) -> None:
    """The contact has left since: the first request was right, and its answer is given."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    first = program.post(address, split_of(cast, 5), key="five")
    contact = cast.customer_contact
    contact.status = "inactive"
    contact.save()
    assert_replayed(first, program.post(address, split_of(cast, 5), key="five"))


@pytest.mark.parametrize("name", KEYED)
def test_every_operation_with_a_key_replays(db: None, name: str) -> None:
    """As MOBOTIX, or where that may not, as the installer. What is done does not change by the second request."""
    world, key = World(), new_key()
    path, body = world.address_of(name, DESCRIBED[name][1]), world.body(name)
    for role in ("mobotix", "installer"):
        first, again = (world.programs[role].post(path, body, key=key) for _ in range(2))
        if first.status_code < 300:
            break
    assert_replayed(first, again)
    assert Operation.objects.filter(key=key).count() == 1


def test_another_request_under_the_key_is_refused(cast: Cast, chain: Chain) -> None:
    """Another body, or another address."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    program.post(address, split_of(cast, 5), key="five")
    assert_problem(program.post(address, split_of(cast, 6), key="five"), 409, "key-reused")
    other = program.post(f"/items/{chain.served.pk}/splits", split_of(cast, 5), key="five")
    assert_problem(other, 409, "key-reused")


def test_white_space_and_order_make_no_other_request(cast: Cast, chain: Chain) -> None:
    """Programs that write JSON anew for each attempt."""
    program, address = program_of(cast.installer), f"/items/{chain.served.pk}/undo"
    first = program.post(address, b'{"copies": 1, "reason": ""}', key="k")
    assert_replayed(first, program.post(address, b'{ "reason": "", "copies": 1 }', key="k"))


def test_a_refusal_is_not_kept(cast: Cast, chain: Chain) -> None:
    """Nothing was done, so that the same key can be used for the corrected request."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    assert program.post(address, split_of(cast, 10_000), key="k").status_code == 422
    assert not KeptAnswer.objects.exists()
    assert program.post(address, split_of(cast, 5), key="k").status_code == 201


def test_an_answer_that_is_gone_is_said_so_and_nothing_is_done(
    cast: Cast, chain: Chain, settings: Any
) -> None:
    """The operation stays for ever and prevents the second write."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    assert program.post(address, split_of(cast, 5), key="old").status_code == 201
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(days=settings.API_ANSWER_DAYS, minutes=1))
    assert program.post(address, split_of(cast, 5), key="new").status_code == 201
    assert drop_old_answers() == 1
    assert_problem(program.post(address, split_of(cast, 5), key="old"), 409, "replay-expired")
    assert program.post(address, split_of(cast, 5), key="new").headers["Idempotency-Replayed"] == "true"
    assert LineItem.objects.filter(parent=chain.installed).count() == 3


def test_answers_are_dropped_some_at_a_time(
    cast: Cast, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_answers, "DELETE_BATCH", 2)
    program = program_of(cast.installer)
    for _ in range(3):
        program.post(f"/items/{chain.served.pk}/undo", {"copies": 1})
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert drop_old_answers() == 3


def test_what_is_kept_is_encrypted(cast: Cast, chain: Chain, settings: Any) -> None:
    """E5: it holds Activation IDs. With another key it is gone, and no fault."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    made = program.post(address, split_of(cast, 5), key="five").json()
    kept = bytes(KeptAnswer.objects.get().encrypted)
    assert made["activation_id"].encode() not in kept
    new = Fernet.generate_key().decode()
    settings.KEY_ENCRYPTION_KEY = f"{new},{settings.KEY_ENCRYPTION_KEY}"
    assert program.post(address, split_of(cast, 5), key="five").json() == made
    settings.KEY_ENCRYPTION_KEY = new
    assert_problem(program.post(address, split_of(cast, 5), key="five"), 409, "replay-expired")


def test_the_answer_and_the_write_are_one(cast: Cast, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answer cannot be kept, nothing is done."""

    def fail(*args: Any) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr("entitlements.api.answers.keep_answer", fail)
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    with pytest.raises(RuntimeError):
        program.post(address, split_of(cast, 5), key="five")
    assert not Operation.objects.filter(key="five").exists()
    assert LineItem.objects.filter(parent=chain.installed).count() == 1


def test_another_token_of_the_same_person_gets_it_too(cast: Cast, chain: Chain) -> None:
    """A key belongs to the person, whatever the token; a token that may not do it gets nothing."""
    address = f"/items/{chain.installed.pk}/splits"
    first = program_of(cast.installer).post(address, split_of(cast, 5), key="five")
    assert_replayed(first, program_of(cast.installer).post(address, split_of(cast, 5), key="five"))
    reads = program_of(cast.installer, "read")
    assert_problem(reads.post(address, split_of(cast, 5), key="five"), 403, "forbidden")
    assert_problem(
        Program().ask("POST", address, split_of(cast, 5), Idempotency_Key="five"), 401, "unauthorized"
    )
    assert ROOT in first.headers["Location"]


def taken_over(cast: Cast, chain: Chain) -> tuple[Program, str, Any]:
    """A program that split under the key "five", and whose token acts as another admin by now; and its answer."""
    secret, address = new_secret(), f"/items/{chain.installed.pk}/splits"
    token = make_token(cast.installer, secret=secret)
    program = Program(secret)
    first = program.post(address, split_of(cast, 5), key="five")
    take_over_api_token(actor=make_user(cast.installer.account), token_id=token.pk)
    return program, address, first


def test_a_token_that_was_taken_over_does_nothing_twice(cast: Cast, chain: Chain) -> None:
    """P1, P2: its program tries again once an admin has confirmed it, and gets the first answer."""
    program, address, first = taken_over(cast, chain)
    assert_replayed(first, program.post(address, split_of(cast, 5), key="five"))
    assert LineItem.objects.filter(parent=chain.installed).count() == 2
    KeptAnswer.objects.all().delete()
    assert_problem(program.post(address, split_of(cast, 5), key="five"), 409, "replay-expired")
    assert LineItem.objects.filter(parent=chain.installed).count() == 2


def test_another_program_may_use_the_same_key_for_something_else(cast: Cast, chain: Chain) -> None:
    """P2: keys of other persons of the account stand in nobody's way, and those of other accounts are not known."""
    program, address, _first = taken_over(cast, chain)
    assert program.post(address, split_of(cast, 6), key="five").status_code == 201
    assert_problem(program.post(address, split_of(cast, 5), key="five"), 409, "key-reused")
    of_seller = program_of(cast.distributor).post(address, split_of(cast, 6), key="five")
    assert "Idempotency-Replayed" not in of_seller.headers
    assert LineItem.objects.filter(parent=chain.installed).count() == 3
