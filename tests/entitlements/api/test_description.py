"""P1: whatever the description allows is sent, as each kind of token: no fault of ours, no ignored token, no leak.

schemathesis makes the requests, right and wrong ones; a part of them is about rows that are there. API_EXAMPLES says
how many for each operation.
"""

import os
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.urls import Resolver404, resolve
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from entitlements.api.app import api
from mxportal.shared.forms import new_key
from tests.entitlements.api.world import ROLES, World

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("API_EXAMPLES", "4"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DESCRIPTION = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))
DESCRIPTION.app = get_wsgi_application()
OPERATIONS = [found.ok() for found in DESCRIPTION.get_all_operations()]


@pytest.fixture
def world(settings: Any) -> Iterator[World]:
    """As Django's own test client has it, a request does not end the test's connection."""
    settings.API_REQUESTS_A_MINUTE = settings.API_REQUESTS_A_MINUTE_WITHOUT_TOKEN = 10**9
    settings.ACTIVATION_GUESSES_AN_HOUR = settings.ACTIVATION_MISSES_AN_HOUR = 10**9
    settings.ALLOWED_HOSTS = ["localhost"]  # as schemathesis calls it
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield World()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def secrets_from(world: World) -> dict[str, set[str]]:
    """What each role must never read: names, addresses and Activation IDs of others (A4, E5)."""
    cast, chain = world.cast, world.chain
    customers = {"City Hospital", cast.customer_contact.email, chain.served.activation_id, world.license.file}
    installers = {"Blick Sicherheitstechnik", cast.installer.email, chain.installed.activation_id}
    distributors = {"Nordlicht Distribution", cast.distributor.email, chain.issued.activation_id}
    everything = customers | installers | distributors
    return {
        "none": everything,
        "wrong": everything,
        "mobotix": set(),
        "installer": {
            cast.distributor.email,
            chain.issued.activation_id,
            "Sibling Alarms",
            "Outside Cameras",
        },
        "reads": {cast.distributor.email, chain.issued.activation_id, "Sibling Alarms", "Outside Cameras"},
        "distributor": customers | {"Outside Cameras"},
        "sibling": customers | installers | {cast.distributor.email, chain.issued.activation_id},
        "other": everything,
    }


def about_rows_that_are_there(case: Case, world: World) -> None:
    """Another's numbers in the address and in the body, which nobody would guess in a few attempts."""
    operation_id = case.operation.definition.raw["operationId"]
    real = world.body(operation_id) or {}
    template = case.path
    if "{" in template:
        filled = world.address_of(operation_id, template).split("/")
        names = template.removeprefix("/api/v1").split("/")
        case.path_parameters = {
            name.partition("}")[0].strip("{"): value.partition(".")[0] if "}." in name else value
            for name, value in zip(names, filled, strict=True)
            if name.startswith("{")
        }
    if isinstance(case.body, dict):
        for name in ("account_id", "contact_email", "item_ids", "activation_id", "host_id", "item_id"):
            if name in real:
                case.body[name] = real[name]


def ask(case: Case, world: World, role: str) -> Any:
    """What the request changes is taken back."""
    headers = {"Idempotency-Key": new_key()}
    if world.programs[role].secret:
        headers["Authorization"] = f"Bearer {world.programs[role].secret}"
    before = transaction.savepoint()
    response = case.call(headers=headers)
    transaction.savepoint_rollback(before)
    return response


def is_routed(case: Case) -> bool:
    """Whether there is an operation at all for what stands in the address."""
    try:
        return bool(resolve(case.formatted_path))
    except Resolver404:
        return False


def check(case: Case, world: World, role: str, hidden: set[str]) -> None:
    """One request of one role."""
    response = ask(case, world, role)
    case.validate_response(response, checks=CHECKS)
    text = response.content.decode("utf-8", "replace")
    assert [secret for secret in hidden if secret in text] == [], (role, text)
    asks_for_token = case.operation.definition.raw.get("security") == [{"Token": []}]
    if asks_for_token and role in ("none", "wrong"):
        assert response.status_code == (401 if is_routed(case) else 404), role


def send_all(operation: Any, world: World) -> None:
    """So many examples, each as every role."""
    hidden = secrets_from(world)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @given(case=st.one_of(operation.as_strategy(), wrong), real=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Case, real: bool) -> None:
        if real:
            about_rows_that_are_there(case, world)
        for role in ROLES:
            check(case, world, role, hidden[role])

    send()


@pytest.mark.slow
@pytest.mark.parametrize("noun", sorted({operation.tags[0] for operation in OPERATIONS}))
def test_whatever_is_sent(world: World, noun: str) -> None:
    """For each role in turn; one world for all operations of a noun."""
    wrong = {}
    for operation in OPERATIONS:
        if operation.tags == [noun]:
            try:
                send_all(operation, world)
            except Exception as error:  # what is wrong with the others is worth knowing, too
                wrong[operation.label] = "".join(traceback.format_exception(error))
    assert not wrong, "\n\n".join(f"{label}\n{text}" for label, text in wrong.items())
