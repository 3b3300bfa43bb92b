"""The pages of "Offline activation" and "Verify"."""

import json
from collections.abc import Iterator
from typing import Any

from entitlements.models import LineItem
from tests.browser.visit import NOBODY, Visit, page, sent
from tests.browser.world import LONG_NAME, World
from tests.entitlements.activation.test_request_files import request_data


def offline_pages(world: World) -> Iterator[Visit]:
    """Offline activation in each of its states, with a login and without."""
    served, stock = world.chain.served, world.chain.installed
    for reader in (NOBODY, "newcomer", "installer", "mobotix"):
        yield page(reader, "offline_activation")
        for step in ("file", "text", "typed", "add"):
            yield sent(reader, "offline_activation", step=step, host_id="00:03")
        for request in (_request(served, copies=1), _request(stock, copies=1), _request(served, copies=99)):
            yield sent(reader, "offline_activation", step="text", text=request)
        yield sent(reader, "offline_activation", step="edit", request=_request(stock, copies=99))
    yield sent(NOBODY, "offline_activation", step="carry_out", request=_request(served, copies=1))
    yield sent("installer", "offline_activation", step="carry_out", request=_request(served, copies=2))
    giving_back: dict[str, Any] = {"return": True}
    yield sent("installer", "offline_activation", step="carry_out", request=_request(served, **giving_back))
    yield page(NOBODY, "offline_licenses", "no-link-of-ours", status=404)
    yield page("installer_viewer", "offline_activation", status=403)


def _request(item: LineItem, **asked: Any) -> str:
    requests = [{"activationId": item.activation_id, **asked}]
    return json.dumps(request_data(device={"name": LONG_NAME, "model": LONG_NAME}, requests=requests))


def verify_pages(world: World) -> Iterator[Visit]:
    """Verify: codes and files of every kind."""
    yield page(NOBODY, "verify_start")
    yield sent(NOBODY, "verify_start", way="code", code="a/b")
    yield sent(NOBODY, "verify_start", way="file")
    yield page(NOBODY, "verify", world.chain.served.verification_code)
    yield page(NOBODY, "verify", "unknown", status=404)
