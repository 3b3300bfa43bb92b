"""P1: every refusal has a stable code, which docs/api.md lists: a program that reads sentences breaks with a comma."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from entitlements.api.problems import SHAPE_CODES
from mxportal.shared.refusals import INVALID, coded_by_field, refusal
from tests.entitlements.api.client import assert_problem, program_of
from tests.factories import Cast, Chain

# Everything that checks what a program sends: services, formats, and what items share.
PLACES = (
    "accounts/services/*.py",
    "entitlements/*/services/*.py",
    "entitlements/activation/offline/*.py",
    "entitlements/activation/formats/*.py",
    "entitlements/api/*.py",
    "entitlements/identifiers/*.py",
    "entitlements/items/*.py",
    "entitlements/ledger/**/*.py",
)
# Where the API never gets, or what is about a file or a page.
PAGES_ONLY = {
    "accounts/services/api_tokens.py",
    "accounts/services/transfers.py",
    "accounts/services/relations.py",
    "accounts/services/setup.py",
    "entitlements/activation/files.py",
    "entitlements/activation/offline/forms.py",
    "entitlements/activation/offline/request_files.py",
    "entitlements/activation/offline/services.py",
    "entitlements/bulk/services/email.py",
    "entitlements/certificates/services/documents.py",
    "entitlements/certificates/services/license_checks.py",
    "entitlements/items/fields.py",
    "entitlements/ledger/sealing/anchors.py",
    "entitlements/mailing/services/resending.py",
    "entitlements/orders/services/key_compromise.py",
    "entitlements/orders/services/transfer.py",
    "entitlements/orders/services/replacing.py",
}
# Passes on what another refused, with its code.
PASSES_ON = {
    "_check_numbered",
    "normal",
    "_check_other_admin",
    "_below_person",
    "_with_code",
    "bulk_split_create",
}
PASSES_ON |= {"split", "_check_hosts", "_activate_each", "checked", "check_contact", "key_reused"}
# By Django's forms and by HTTP itself.
OF_FORMS = {
    "required",
    "max-length",
    "invalid-choice",
    "invalid-date",
    "control-characters",
    "last-admin",
    "mixed-alphabets",
}
OF_HTTP = {
    "unauthorized",
    "forbidden",
    "not-found",
    "method-not-allowed",
    "internal-server-error",
    "bad-request",
}


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """Of everything that the API can reach."""
    for place in PLACES:
        for path in sorted(settings.BASE_DIR.glob(place)):
            if str(path.relative_to(settings.BASE_DIR)) not in PAGES_ONLY:
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.FunctionDef):
                        yield path, node


def calls(function: ast.FunctionDef, *names: str) -> Iterator[ast.Call]:
    """Of a name; what a function within it calls is counted twice, which does not matter."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def codes_in_sources() -> set[str]:
    """Of all that refuse: refusal(code, …), Coded(code, …), Problem(status, code, …), problem(status, code, …)."""
    found: set[str] = set()
    for _path, function in functions():
        placed = [(call, 0) for call in calls(function, "refusal", "Coded")]
        placed += [(call, 1) for call in calls(function, "Problem", "problem")]
        for call, place in placed:
            texts = [one for one in call.args[place : place + 1] if isinstance(one, ast.Constant)]
            found |= {str(text.value) for text in texts if text.value}
    return found - {"refused"}


def documented() -> set[str]:
    """The first column of the table."""
    text = (settings.BASE_DIR / "docs/api.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {code for first in rows for code in re.findall(r"`([a-z-]+)`", first)}


@pytest.mark.slow
def test_the_table_lists_every_code() -> None:
    """And none that is gone."""
    codes = codes_in_sources() | set(SHAPE_CODES.values()) | {INVALID} | OF_FORMS | OF_HTTP
    assert sorted(codes - documented()) == []
    assert sorted(documented() - codes) == []


def test_the_list_of_pages_is_not_stale() -> None:
    assert [path for path in sorted(PAGES_ONLY) if not (settings.BASE_DIR / path).exists()] == []


@pytest.mark.slow
def test_no_refusal_is_without_a_code() -> None:
    """A new one is refusal("a-code", …), and stands in the table."""
    without = {
        f"{path.stem}.{function.name}"
        for path, function in functions()
        if function.name not in PASSES_ON and any(calls(function, "ValidationError"))
    }
    assert without == set()


def test_codes_of_nested_refusals() -> None:
    """By field, of several, and of Django's own, which write theirs with strokes below."""
    long = ValidationError("z", code="max_length")
    found = coded_by_field(ValidationError({"a": refusal("one", ["x", "y"]), "b": long, "c": "w"}))
    assert found == {"a": [("one", "x"), ("one", "y")], "b": [("max-length", "z")], "c": [(INVALID, "w")]}


def test_a_program_reads_no_sentence(cast: Cast, chain: Chain) -> None:
    """The same in every language."""
    program, address = program_of(cast.installer), f"/items/{chain.installed.pk}/splits"
    body = {
        "account_id": cast.customer.account_id,
        "contact_email": cast.customer_contact.email,
        "copies": 10_000,
    }
    for language in ("en", "de"):
        found = assert_problem(
            program.post(address, body, Accept_Language=language), 422, "refused", fields=("copies",)
        )
        assert (found["code"], found["codes"]) == ("not-enough-copies", {"copies": ["not-enough-copies"]})
    wrong = program.post(address, body | {"contact_email": "nobody@new.example"}).json()
    assert (wrong["code"], wrong["codes"]) == ("wrong-contact", {"contact_email": ["wrong-contact"]})
    shape = program.post(address, {"copies": "many", "colour": "red"}).json()["codes"]
    assert shape == {
        "account_id": ["required"],
        "contact_email": ["required"],
        "copies": ["invalid"],
        "colour": ["unknown-field"],
    }
    assert program.get("/nothing").json()["code"] == "not-found"


def test_codes_of_bulk_lines(cast: Cast, chain: Chain) -> None:
    line = {"account_id": cast.customer.account_id, "email": cast.customer_contact.email, "amount": 1}
    lines = [
        line,
        line | {"email": "nobody@new.example"},
        line | {"account_id": "NOBODY"},
        line | {"amount": 10_000},
    ]
    answer = program_of(cast.installer).post(
        "/bulk-splits", {"item_ids": [chain.installed.pk], "lines": lines}
    )
    assert answer.json()["codes"] == {
        "lines.1.email": ["wrong-contact"],
        "lines.2.account_id": ["wrong-account"],
        "lines.3.amount": ["not-enough-copies"],
        f"item_ids.{chain.installed.pk}": ["not-enough-copies"],
    }


def test_an_unknown_query_parameter_is_refused(cast: Cast) -> None:
    """A mistyped filter would find everything; asked after the token."""
    program = program_of(cast.installer)
    found = assert_problem(program.get("/items?state=deployed&stat=draft"), 400, "unknown-parameter")
    assert "“stat”" in found["detail"]
    assert_problem(program.get(f"/accounts/{cast.customer.account_id}?x=1"), 400, "unknown-parameter")
    assert_problem(program_of(cast.installer, "activate").get("/items?stat=draft"), 403, "forbidden")


def test_pages_are_linked_in_the_header_too(cast: Cast, chain: Chain) -> None:
    """RFC 8288."""
    program = program_of(cast.installer)
    page = program.get("/items?limit=1")
    assert page.headers["Link"] == f'<{page.json()["next"]}>; rel="next"'
    assert "Link" not in program.get("/items")
