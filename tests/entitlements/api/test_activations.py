"""L1, L2, L4–L6: activate, return, rehost, licenses, devices, revocations, through the API."""

from typing import Any

import pytest

from entitlements.activation.formats.license_files import read, unpack
from entitlements.identifiers.activation_ids import new_activation_id
from entitlements.models import License, LineItem
from tests.entitlements.api.client import Program, assert_problem, mistyped, program_of
from tests.factories import Cast, Chain, issue_item, split_item, yesterday

MAC = "00:03:C5:00:00:01"
OTHER = "00:03:C5:00:00:02"


def of(item: LineItem, **fields: Any) -> dict[str, Any]:
    """By its Activation ID, as MxMC asks."""
    return {"activation_id": item.activation_id, "host_id": "0003c5000001"} | fields


# --- Without a token: the Activation ID is the proof (L2) -------------------------------------------------------------


def test_who_has_the_activation_id_activates_and_returns(cast: Cast, chain: Chain) -> None:
    """L2: without a token; asked again, it is the same license. What comes back opens with ID and host."""
    program = Program()
    made, again = (program.post("/activations", of(chain.served, copies=2, name="Gate")) for _ in range(2))
    assert made.status_code == 201, made.content
    assert again.json() == made.json()
    license = made.json()
    assert (license["host_id"], license["host_id_type"], license["copies"]) == (MAC, "mac", 2)
    assert (license["device"], license["part_number"]) == ("Gate", cast.product.part_number)
    document = read(unpack(license["file"]), activation_id=chain.served.activation_id, host_id=MAC)
    assert document["included"][0]["id"] == license["license_id"]
    returned, once_more = (program.post("/returns", of(chain.served)) for _ in range(2))
    expected = {"item_id": chain.served.pk, "host_id": MAC, "copies": 0, "license": None}
    assert returned.json() == once_more.json() == expected
    assert [row["license_id"] for row in program.get("/revocations").json()["items"]] == [
        license["license_id"]
    ]


@pytest.mark.parametrize("path", ["/activations", "/returns"])
def test_whatever_is_wrong_with_the_id_the_answer_is_the_same(cast: Cast, chain: Chain, path: str) -> None:
    """L2: mistyped, unknown, an installer's own stock; nothing is told apart, and nothing is activated."""
    wrong = [mistyped(chain.served.activation_id), new_activation_id(), chain.installed.activation_id, "x"]
    answers = [Program().post(path, of(chain.served, activation_id=sent)) for sent in wrong]
    for answer in answers:
        assert_problem(answer, 404, "unknown-activation-id")
    assert len({answer.content for answer in answers}) == 1
    assert not License.objects.exists()


def test_a_mistyped_id_is_looked_up_nowhere(cast: Cast, chain: Chain, django_assert_num_queries: Any) -> None:
    """E5: the check character refuses it; what is asked is the log."""
    program, body = Program(), of(chain.served, activation_id=mistyped(chain.served.activation_id))
    with django_assert_num_queries(4) as asked:  # a savepoint's three, and the log
        program.post("/activations", body)
    assert not any("lineitem" in query["sql"] for query in asked.captured_queries)


def test_guessing_ends_after_a_few(cast: Cast, chain: Chain, settings: Any) -> None:
    """L2: of an old system's form; nobody guesses one of ours, so a neighbour's wrong ones keep no bearer out."""
    settings.ACTIVATION_GUESSES_AN_HOUR = 3
    wrong = of(chain.served, activation_id="OLD-4711")
    assert [Program().post("/activations", wrong).status_code for _ in range(4)] == [404, 404, 404, 429]
    assert Program().post("/activations", of(chain.served)).status_code == 201


def test_a_flood_of_ids_ends(cast: Cast, chain: Chain, settings: Any) -> None:
    """L2: from this address not even the right ID opens anything then; a token still does."""
    settings.ACTIVATION_MISSES_AN_HOUR = 3
    wrong = of(chain.served, activation_id=mistyped(chain.served.activation_id))
    assert [Program().post("/activations", wrong).status_code for _ in range(4)] == [404, 404, 404, 429]
    refused = Program().post("/activations", of(chain.served))
    assert_problem(refused, 429, "too-many-requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert_problem(Program().post("/returns", of(chain.served)), 429, "too-many-requests")
    assert program_of(cast.installer).post("/activations", of(chain.served)).status_code == 201


def test_a_wrong_token_is_no_bearer(cast: Cast, chain: Chain) -> None:
    """P1: who sends a token means it."""
    answer = Program("mxp_" + "0" * 48).post("/activations", of(chain.served))
    assert_problem(answer, 401, "unauthorized")
    assert_problem(
        program_of(cast.installer, "read").post("/activations", of(chain.served)), 403, "forbidden"
    )
    assert not License.objects.exists()


def test_the_number_of_an_item_is_no_proof(cast: Cast, chain: Chain) -> None:
    """L2."""
    for path in ("/activations", "/returns"):
        answer = Program().post(path, {"item_id": chain.served.pk, "host_id": MAC})
        assert_problem(answer, 422, "refused", fields=("activation_id",))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"copies": 0}, "copies"),
        ({"copies": 6}, "copies"),
        ({"host_id": "CAM-0003C5"}, ""),
        ({"host_id": "0003C50000"}, "host_id"),
        ({"host_id": "0003C5AABBCZ"}, "host_id"),
        ({"host_id": "0003C5AABBCZ", "host_id_type": "serial"}, "host_id"),
        ({"host_id": "10.23.1.5"}, "host_id"),
        ({"host_id": "192.168.100.200", "host_id_type": "mac"}, "host_id"),
        ({"host_id": "fe80::203:c5ff:feaa:bbcc", "host_id_type": "mxmc"}, "host_id"),
        ({"host_id": "00:03:C5:00:00"}, "host_id"),
        ({"host_id": "00:03:C5:00:00", "host_id_type": "mac"}, "host_id"),
        ({"host_id": "a"}, "host_id"),
        ({"host_id": "FF:FF:FF:FF:FF:FF"}, "host_id"),
        ({"host_id_type": "nothing"}, "host_id_type"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_activations_that_are_refused(cast: Cast, chain: Chain, changes: dict[str, Any], field: str) -> None:
    answer = Program().post("/activations", of(chain.served, **changes))
    if field:
        assert_problem(answer, 422, "refused", fields=(field,))
        assert not License.objects.exists()
    else:
        assert answer.status_code == 201, "it is taken for a serial number"


@pytest.mark.parametrize(
    "changes",
    [{"state": "inactive"}, {"state": "obsolete"}, {"expires_on": yesterday(), "starts_on": yesterday()}],
)
def test_items_that_cannot_be_activated(cast: Cast, chain: Chain, changes: dict[str, Any]) -> None:
    """E3: the bearer reads why; the sentence tells nobody's name."""
    LineItem.objects.filter(pk=chain.served.pk).update(**changes)
    answer = Program().post("/activations", of(chain.served))
    assert_problem(answer, 422, "refused", fields=("item_id",))


def test_a_host_that_another_account_uses_tells_nothing(cast: Cast, chain: Chain) -> None:
    """L1: neither that it is known elsewhere nor what it is called there."""
    Program().post("/activations", of(chain.served, name="Secret Lab"))
    other = issue_item(cast, cast.other_installer.account)
    program = program_of(cast.other_installer)
    made = program.post("/activations", {"item_id": other.pk, "host_id": MAC})
    assert (made.status_code, made.json()["device"]) == (201, MAC)
    assert len(program.get("/devices").json()["items"]) == 1
    for path in ("/devices", "/licenses?ended=true", f"/licenses?host_id={MAC}"):
        assert "Secret Lab" not in program.get(path).content.decode()


def test_parts_are_returned_with_a_token(cast: Cast, chain: Chain) -> None:
    Program().post("/activations", of(chain.served, copies=2))
    answer = Program().post("/returns", of(chain.served, copies=1))
    assert_problem(answer, 422, "refused", fields=("copies",))
    answer = program_of(cast.installer).post("/returns", of(chain.served, copies=1))
    assert (answer.json()["copies"], answer.json()["license"]["copies"]) == (1, 1)


# --- With a token -----------------------------------------------------------------------------------------------------


def test_an_owner_activates_its_stock_by_number(cast: Cast, chain: Chain) -> None:
    """E13, P2: the same key gives the same license; all copies come back under one key, too."""
    program = program_of(cast.installer, "activate")
    body = {"item_id": chain.installed.pk, "host_id": "SN-1", "copies": 2}
    made, again = (program.post("/activations", body, key="a") for _ in range(2))
    assert made.status_code == 201, made.content
    assert made.json() == again.json()
    assert_problem(program.post("/activations", body | {"copies": 1}, key="a"), 409, "key-reused")
    assert_problem(program.ask("POST", "/activations", body), 400, "key-missing")
    back = {"item_id": chain.installed.pk, "host_id": "sn-1"}
    returned, once_more = (program.post("/returns", back, key="r") for _ in range(2))
    assert returned.json()["copies"] == 0, returned.content
    assert once_more.json() == returned.json()


def test_a_rehost(cast: Cast, chain: Chain) -> None:
    """L4: counts as a return."""
    program = program_of(cast.installer)
    program.post("/activations", of(chain.served, copies=2))
    moved, again = (program.post("/rehosts", of(chain.served, to_host_id=OTHER), key="r") for _ in range(2))
    assert moved.status_code == 201, moved.content
    assert again.json() == moved.json()
    assert (moved.json()["host_id"], moved.json()["copies"]) == (OTHER, 2)
    limit = program.post("/rehosts", of(chain.served, host_id=OTHER, to_host_id=MAC))
    assert_problem(limit, 422, "refused", fields=("copies",))
    never = program.post("/rehosts", of(chain.served, host_id="SN-9", to_host_id=MAC))
    assert_problem(never, 422, "refused", fields=("host_id",))


def test_items_of_others_are_not_there(cast: Cast, chain: Chain) -> None:
    """E12, E13: a stranger's token opens nothing by an ID that it has, nor does the distributor's."""
    stranger = program_of(cast.sibling_installer)
    by_number = {"item_id": chain.served.pk, "host_id": MAC}
    assert_problem(stranger.post("/activations", by_number), 404, "not-found")
    assert_problem(stranger.post("/activations", of(chain.served)), 404, "not-found")
    assert_problem(program_of(cast.distributor).post("/activations", by_number), 403, "forbidden")
    both = program_of(cast.installer).post("/activations", by_number | of(chain.served))
    assert_problem(both, 422, "refused", fields=("item_id",))


# --- Licenses, devices, revocations -----------------------------------------------------------------------------------


def test_licenses_and_devices_of_the_parties(cast: Cast, chain: Chain) -> None:
    """L1, E5: the others up the chain see how many are activated, and not where."""
    made = Program().post("/activations", of(chain.served, copies=2, site="Hall")).json()
    program = program_of(cast.installer, "read")
    assert program.get(f"/licenses/{made['license_id']}").json() == made
    assert program.get(f"/licenses?item_id={chain.served.pk}&host_id={MAC}").json()["items"] == [made]
    (device,) = program.get("/devices").json()["items"]
    assert (device["host_id"], device["site"]) == (MAC, "Hall")
    assert program.get(f"/devices/{device['id']}").json() == device
    for stranger in (cast.distributor, cast.sibling_installer, cast.other_installer):
        other = program_of(stranger)
        assert_problem(other.get(f"/licenses/{made['license_id']}"), 404, "not-found")
        assert_problem(other.get(f"/devices/{device['id']}"), 404, "not-found")
        assert other.get("/licenses?ended=true").json()["items"] == []
        assert other.get("/devices").json()["items"] == []


def test_an_ended_license_has_no_file(cast: Cast, chain: Chain) -> None:
    program = program_of(cast.installer)
    made = program.post("/activations", of(chain.served)).json()
    program.post("/returns", of(chain.served))
    assert program.get("/licenses").json()["items"] == []
    (ended,) = program.get("/licenses?ended=true").json()["items"]
    assert (ended["license_id"], ended["file"]) == (made["license_id"], None)
    assert ended["ended_at"] is not None


def test_revocations_in_pages(cast: Cast, chain: Chain) -> None:
    """L6: for everybody, the oldest first, since a moment; no name, no item."""
    issue_item(cast)
    item = split_item(cast.installer, chain.installed, cast.customer, copies=20)
    ended = []
    for copies in (4, 3, 2):
        made = Program().post("/activations", of(item, copies=copies))
        ended.append(made.json()["license_id"])
    found = Program().get("/revocations?limit=1").json()
    rest = Program().get(found["next"].partition("/api/v1")[2]).json()
    assert [row["license_id"] for row in found["items"] + rest["items"]] == ended[:2]
    assert rest["next"] is None
    assert set(found["items"][0]) == {"license_id", "ended_at"}
    since = rest["items"][0]["ended_at"].replace("+", "%2B")
    page = Program().get(f"/revocations?since={since}")
    assert [row["license_id"] for row in page.json()["items"]] == ended[1:2]
    assert page.headers["Cache-Control"] == "public, max-age=60"
    for wrong in ("2026-01-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "soon"):
        assert_problem(Program().get(f"/revocations?since={wrong}"), 422, "refused", fields=("since",))


def test_keys_are_those_of_the_well_known_address(db: None, client: Any) -> None:
    """L6."""
    assert Program().get("/keys").json() == client.get("/.well-known/jwks.json").json()
