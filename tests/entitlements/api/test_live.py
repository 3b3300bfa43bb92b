"""P4: on the real thing, where Redis counts for all processes."""

import json
import urllib.error
import urllib.request
from itertools import pairwise
from typing import Any

import pytest

from accounts.services.api_tokens import new_secret
from tests.factories import make_cast, make_chain, make_token
from tests.live import Portal

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True),
]


def ask(
    portal: Portal, path: str, body: dict[str, Any] | None = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of an answer."""
    request = urllib.request.Request(
        f"{portal.url}/api/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} | headers,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), dict(error.headers)


def test_limits_and_guesses_are_counted_in_redis(running: Portal) -> None:
    """L2, P4: by token, by address, and wrong Activation IDs by address."""
    cast, secret = make_cast(), new_secret()
    served = make_chain(cast).served
    make_token(cast.installer, secret=secret)
    token = {"Authorization": f"Bearer {secret}"}
    left = [int(ask(running, "items", **token)[2]["RateLimit-Remaining"]) for _ in range(8)]
    fewer = [before - after for before, after in pairwise(left)]
    assert fewer.count(1) >= len(fewer) - 1, left  # once, a minute may have begun
    wrong = {"activation_id": "OLD-4711", "host_id": "0003c5000001"}
    statuses = [ask(running, "activations", wrong)[0] for _ in range(11)]
    assert statuses == [404] * 10 + [429]
    right = {"activation_id": served.activation_id, "host_id": "0003c5000001"}
    assert ask(running, "activations", right)[0] == 201
    assert ask(running, "activations", right, **token, **{"Idempotency-Key": "a"})[0] == 201
