"""P1, P4: what holds for every request: tokens, problems, limits, languages, the log."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiRequest, ApiToken
from accounts.models.operation import Once
from accounts.services.api_tokens import new_secret, revoke_api_token
from entitlements.api.app import api
from entitlements.api.bodies import MAX_DEPTH, read_json
from entitlements.api.problems import Problem
from tests.entitlements.api.client import Program, assert_problem, program_of
from tests.factories import Cast, Chain


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer mxp_",
        f"Bearer mxp_{'0' * 48}",
        "Basic bXhwOg==",
        "mxp_",
        "Bearer \u00e9",
    ],
)
def test_without_a_valid_token_nothing_is_told(db: None, header: str) -> None:
    """P1: whatever is wrong with it, the answer is the same."""
    answer = Program().ask("GET", "/items", **({"Authorization": header} if header else {}))
    assert_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_session_is_no_token(cast: Cast) -> None:
    """Cookies open nothing here, so that no page elsewhere can make a browser ask."""
    client = Client()
    client.force_login(cast.mobotix)
    assert_problem(client.get("/api/v1/items"), 401, "unauthorized")


def test_a_revoked_token_ends_at_once(cast: Cast) -> None:
    program = program_of(cast.installer)
    assert program.get("/items").status_code == 200
    revoke_api_token(actor=cast.installer, token_id=ApiToken.objects.get().pk)
    assert_problem(program.get("/items"), 401, "unauthorized")


def test_a_scope_that_lacks_is_403_before_anything_is_read(cast: Cast) -> None:
    """P1: the role is asked before the row."""
    program = program_of(cast.installer, "activate")
    assert_problem(program.get("/items?limit=nothing"), 403, "forbidden")
    assert_problem(program.get("/items/1"), 403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/items", 405), ("GET", "/", 404)]
)
def test_what_django_refuses_is_a_problem_too(cast: Cast, method: str, path: str, status: int) -> None:
    answer = program_of(cast.installer).ask(method, path)
    assert_problem(answer, status)
    assert ("Allow" in answer.headers) is (status == 405)


def test_head_is_get_without_a_body(cast: Cast) -> None:
    """RFC 9110: what can be got can be asked for its head."""
    program = program_of(cast.installer)
    head, got = program.ask("HEAD", "/items"), program.get("/items")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_answers_stay_out_of_caches(cast: Cast) -> None:
    """E5: they hold Activation IDs."""
    assert "no-store" in program_of(cast.installer).get("/items").headers["Cache-Control"]


def test_refusals_come_in_the_asked_language(db: None) -> None:
    detail = Program().ask("GET", "/items", Accept_Language="de-DE,de;q=0.9").json()["detail"]
    assert detail.startswith("Senden Sie ein gültiges API-Token")


# --- Limits (P4) ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("within_a_minute")
def test_each_token_has_its_limit(cast: Cast, settings: Any) -> None:
    settings.API_REQUESTS_A_MINUTE = 2
    first, second = program_of(cast.installer), program_of(cast.installer)
    answers = [first.get("/items") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert_problem(answers[2], 429, "too-many-requests")
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].headers["RateLimit-Limit"] == "2"
    assert second.get("/items").status_code == 200


@pytest.mark.usefixtures("within_a_minute")
def test_who_has_no_token_counts_by_address(cast: Cast, settings: Any) -> None:
    """And is no burden to a program with one at the same address."""
    settings.API_REQUESTS_A_MINUTE_WITHOUT_TOKEN = 2
    statuses = [Program(new_secret()).get("/items").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert program_of(cast.installer).get("/items").status_code == 200
    assert ApiRequest.objects.filter(token=None).count() == 2, "beyond the limit nothing is written"


# --- The log ----------------------------------------------------------------------------------------------------------


def test_the_log_has_a_line_without_what_was_asked(cast: Cast, chain: Chain) -> None:
    """P1: by token and address template; neither query nor body, and no secret."""
    program = program_of(cast.installer)
    answer = program.get(f"/items/{chain.installed.pk}?secret={chain.installed.activation_id}")
    row = ApiRequest.objects.values().get()
    assert (row["method"], row["route"]) == ("GET", "/api/v1/items/<int:item_id>")
    assert (row["status"], row["account_id"]) == (400, cast.installer.account_id)
    assert row["request_id"] == answer.headers["X-Request-ID"]
    assert row["address"] == "127.0.0.1"
    assert chain.installed.activation_id not in str(row)
    assert ApiToken.objects.get().last_used_at is not None


def test_what_has_no_address_is_not_logged(cast: Cast) -> None:
    """Else whoever asks for what is not there would write the admins' page."""
    program_of(cast.installer).get("/nothing")
    assert not ApiRequest.objects.exists()


# --- Bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": [Infinity]}',
        b'{"a": -Infinity}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"a": ' * 5000 + b"1" + b"}" * 5000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_bodies_that_are_refused(body: bytes) -> None:
    """What two readers could read in two ways, and what no database keeps."""
    with pytest.raises(Problem) as refused:
        read_json(body)
    assert refused.value.status == 400


def test_bodies_that_are_read() -> None:
    assert read_json('{"a": ["ä", 1, null, {"b": "\\ud83d\\ude00"}]}'.encode()) == {
        "a": ["ä", 1, None, {"b": "😀"}]
    }


def test_a_search_is_no_place_for_nul(cast: Cast) -> None:
    assert_problem(program_of(cast.installer).get("/items?part_number=%00"), 400, "unreadable")


def test_the_description_is_for_others(db: None, client: Client) -> None:
    """Public, without our rules' numbers, and every operation in a sentence."""
    description = client.get("/api/v1/openapi.json")
    assert description.status_code == 200
    operations = [one for path in description.json()["paths"].values() for one in path.values()]
    assert all(one["summary"] and "." not in one["summary"][-1] for one in operations)
    assert not re.search(r"\b[AELNPU]\d{1,2}\b|``", description.content.decode())


def test_the_description_is_made_once(db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each language; who has it is told that it is still the same."""
    first = {
        one: client.get("/api/v1/openapi.json", headers={"accept-language": one}) for one in ("en", "de")
    }
    monkeypatch.setattr(api, "get_openapi_schema", lambda **options: pytest.fail("made again"))
    for language, answer in first.items():
        headers = {"accept-language": language}
        assert client.get("/api/v1/openapi.json", headers=headers).content == answer.content
        headers["if-none-match"] = answer.headers["ETag"]
        again = client.get("/api/v1/openapi.json", headers=headers)
        assert (again.status_code, again.content) == (304, b"")


def test_two_at_once_under_one_key(cast: Cast, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: requests that hold different locks; the index lets one of them through, and the other reads why."""
    program, line = program_of(cast.installer), {"copies": 1}
    assert program.post(f"/items/{chain.served.pk}/undo", line, key="twin").status_code == 200
    monkeypatch.setattr(Once, "_find_result", lambda self: None)
    answer = program.post(f"/items/{chain.installed.pk}/undo", line, key="twin")
    assert_problem(answer, 409, "key-reused")
