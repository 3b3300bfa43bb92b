"""Reading changes nothing: while the database takes no writes, every page and every answer to a program still comes."""

from typing import Any

import pytest
from django.urls import reverse
from prometheus_client import REGISTRY

from accounts.models import ApiRequest, ApiToken
from mxportal.shared.forms import new_key
from tests.entitlements.api import world as programs
from tests.entitlements.api.test_matrix import DESCRIBED, READS_BY_POST
from tests.entitlements.api.test_matrix import LINES as OPERATIONS
from tests.following import FollowingClient
from tests.read_only import read_only
from tests.test_access_matrix import COLUMNS, LINES, World

pytestmark = pytest.mark.django_db(transaction=True)
SAYS_SO = {"readyz"}  # it is asked for this
WHO = ("anonymous", "mobotix", "installer", "installer_viewer", "distributor")


def lost(kind: str) -> float:
    return REGISTRY.get_sample_value("portal_lost_notes_total", {"kind": kind}) or 0


@pytest.mark.slow
def test_every_page_is_shown(settings: Any) -> None:
    """What the matrix says of GET holds without a single write, for everybody."""
    world = World()
    clients = {column: FollowingClient() for column in WHO}
    for column, client in clients.items():
        if column != "anonymous":
            client.force_login(getattr(world.cast, column))
    got = {}
    with read_only():
        for name, method, *statuses in LINES:
            if method == "GET" and name not in SAYS_SO:
                address = reverse(name, args=world.arguments.get(name, []))
                expected = [status for column, status in zip(COLUMNS, statuses, strict=True) if column in WHO]
                got[name] = (expected, [str(clients[column].get(address).status_code) for column in WHO])
    assert {name: found for name, (expected, found) in got.items() if found != expected} == {}


@pytest.mark.slow
def test_every_read_of_the_api_is_answered(settings: Any) -> None:
    """P1: cameras read revocations all the time. What the log lost is counted."""
    settings.API_REQUESTS_A_MINUTE_WITHOUT_TOKEN = 10**9
    world = programs.World()
    ApiRequest.objects.all().delete()
    before, asked, wrong = lost("api request"), 0, {}
    with read_only():
        for operation_id, *statuses in OPERATIONS:
            method, path = DESCRIBED[operation_id]
            if method != "get" and operation_id not in READS_BY_POST:
                continue
            address, body = world.address_of(operation_id, path), world.body(operation_id)
            for role, expected in zip(programs.ROLES, statuses, strict=True):
                asked += 1
                answer = world.programs[role].ask(method, address, body, Idempotency_Key=new_key())
                if str(answer.status_code) != expected:
                    wrong[operation_id, role] = (expected, answer.status_code)
    assert wrong == {}
    assert lost("api request") == before + asked
    assert not ApiRequest.objects.exists()


def test_the_log_of_the_api_is_written_after_the_answer(world_of_programs: programs.World) -> None:
    """P1: row and last use of the token are there once the answer is closed."""
    ApiToken.objects.update(last_used_at=None)
    world_of_programs.programs["installer"].get("/items")
    assert ApiRequest.objects.filter(route="/api/v1/items", status=200).count() == 1
    assert ApiToken.objects.exclude(last_used_at=None).count() == 1


@pytest.fixture
def world_of_programs() -> programs.World:
    return programs.World()
