"""P1, E12, E13: every operation × every kind of token. An operation that is not in here fails the test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from ninja.operation import Operation

from accounts.permissions import Permission
from entitlements.api.app import api
from entitlements.api.auth import Token, TokenOrProof
from mxportal.shared.forms import new_key
from tests.entitlements.api.world import ROLES, World

pytestmark = pytest.mark.django_db
# The rows are the installer's: its item, which the distributor sold it, and what its customer has of it.
#                       none wrong MX  own  read sell sibl other
MATRIX = """
item_list                401  401  200  200  200  200  200  200
item_detail              401  401  200  200  200  200  404  404
item_search              401  401  200  200  200  404  404  404
item_split               401  401  403  201  403  403  404  404
item_undo                401  401  200  200  403  200  404  404
item_mail                401  401  202  403  403  202  404  404
item_mails               401  401  200  200  200  200  404  404
bulk_split_create        401  401  403  201  403  403  404  404
bulk_split_list          401  401  200  200  200  200  200  200
bulk_split_detail        401  401  200  200  200  404  404  404
bulk_split_items         401  401  200  200  200  404  404  404
bulk_split_undo          401  401  202  202  403  404  404  404
certificate_pdf          401  401  200  200  200  200  404  404
certificate_json         401  401  200  200  200  200  404  404
activation_create        201  401  201  201  403  404  404  404
return_create            200  401  200  200  403  404  404  404
rehost_create            401  401  201  201  403  404  404  404
license_list             401  401  200  200  200  200  200  200
license_detail           401  401  200  200  200  404  404  404
device_list              401  401  200  200  200  200  200  200
device_detail            401  401  200  200  200  404  404  404
revocation_list          200  200  200  200  200  200  200  200
key_list                 200  200  200  200  200  200  200  200
account_list             401  401  200  200  200  200  200  200
account_create           401  401  201  201  403  201  201  201
account_detail           401  401  200  200  200  404  404  404
account_change           401  401  200  200  403  404  404  404
account_status           401  401  200  200  403  404  404  404
person_list              401  401  200  200  200  404  404  404
person_detail            401  401  200  200  200  404  404  404
person_change            401  401  200  200  403  404  404  404
person_create            401  401  201  201  403  404  404  404
product_list             401  401  200  200  200  200  200  200
product_detail           401  401  200  200  200  200  200  200
product_create           401  401  201  403  403  403  403  403
product_change           401  401  200  403  403  403  403  403
entitlement_list         401  401  200  200  200  200  200  200
entitlement_create       401  401  201  403  403  403  403  403
entitlement_detail       401  401  200  200  200  200  404  404
entitlement_add_lines    401  401  201  403  403  403  403  403
entitlement_deploy       401  401  200  403  403  403  403  403
item_state               401  401  200  403  403  403  403  403
item_quantity            401  401  200  403  403  403  403  403
"""
LINES = [line.split() for line in MATRIX.strip().splitlines()]
READS_BY_POST = {"item_search"}  # an Activation ID belongs in no address
SCHEMA = api.get_openapi_schema(path_prefix="/api/v1/")
DESCRIBED = {
    operation["operationId"]: (method, path)
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
}


def operations() -> Iterator[Operation]:
    """All of them, whether they are described or not."""
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            yield from view.operations


@pytest.fixture
def world() -> World:
    return World()


def answer(world: World, role: str, operation_id: str) -> Any:
    """What somebody gets for a right request; what it changes is taken back."""
    method, path = DESCRIBED[operation_id]
    before = transaction.savepoint()  # no atomic block: the services' own are durable
    response = world.programs[role].ask(
        method,
        world.address_of(operation_id, path),
        world.body(operation_id),
        Idempotency_Key=new_key(),
    )
    transaction.savepoint_rollback(before)
    return response


@pytest.mark.slow
def test_who_gets_what(world: World, settings: Any) -> None:
    """The status that each token gets. One test for all: the world takes longest."""
    settings.API_REQUESTS_A_MINUTE_WITHOUT_TOKEN = 10**9
    got = {
        operation_id: [str(answer(world, role, operation_id).status_code) for role in ROLES]
        for operation_id, *_expected in LINES
    }
    expected = {operation_id: statuses for operation_id, *statuses in LINES}
    assert {name: got[name] for name in got if got[name] != expected[name]} == {}


def test_no_operation_is_missing() -> None:
    """A new one must say here who gets what."""
    assert {line[0] for line in LINES} == {operation.view_func.__name__ for operation in operations()}
    assert set(DESCRIBED) == {operation.view_func.__name__ for operation in operations()}


@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.view_func.__name__)
def test_every_operation_is_stamped(operation: Operation) -> None:
    """P1: with the permission that its token must have, or with the reason why it needs none. One stamp, its own."""
    (stamp,) = operation.auth_callbacks
    reason = getattr(stamp, "public_reason", "")
    permission = getattr(stamp, "permission", None)
    assert reason or permission in set(Permission), "stamp it: auth=Token(Permission.X) or auth=nobody('why')"
    assert bool(reason) is not isinstance(stamp, Token)
    if permission is not None:
        assert isinstance(stamp, Token | TokenOrProof)


@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.view_func.__name__)
def test_what_writes_needs_more_than_to_see(operation: Operation) -> None:
    """U3: no GET asks for more than VIEW, and nothing else for less."""
    (stamp,) = operation.auth_callbacks
    if permission := getattr(stamp, "permission", None):
        reads = operation.methods == ["GET"] or operation.view_func.__name__ in READS_BY_POST
        assert (permission == Permission.VIEW) is reads


def test_every_post_takes_a_key() -> None:
    """P2: what has a key on a page has one here."""
    without = {
        operation["operationId"]
        for operations in SCHEMA["paths"].values()
        for method, operation in operations.items()
        if method == "post" and "Idempotency-Key" not in {one["name"] for one in operation["parameters"]}
    }
    assert without == READS_BY_POST
