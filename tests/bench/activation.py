"""License files against a bare signature of the same bytes; activations over HTTP against a view that does nothing."""

import itertools
import json

from django.conf import settings
from django.utils import timezone

from accounts.models import Tier
from accounts.services.api_tokens import create_api_token, new_secret
from entitlements.activation.formats.license_files import unpack
from entitlements.activation.services.licenses import license_file
from entitlements.ledger import signing
from entitlements.models import Activation, Device, License, LineItem
from mxportal.shared.forms import new_key
from tests.bench.clock import interleaved
from tests.bench.people import admin_of
from tests.bench.splits import issue_source
from tests.bench.web import CLIENTS, get, post, web_server

ROUNDS = 30
FILES = 300  # in a round
REQUESTS = 80  # in a round, of all clients together


def license_vs_bare_sign() -> float:
    """From the rows to the file that is given out, over one Ed25519 signature of what that file signs."""
    license = _some_license()
    text = signing.Domain.MACHINE.encode() + unpack(license_file(license)).signed
    key = signing.private_half(license.key.private_key, license.key.public_key, settings.KEY_ENCRYPTION_KEY)
    ours, bare = interleaved(
        lambda: [license_file(license) for _ in range(FILES)],
        lambda: [key.sign(text) for _ in range(FILES)],
        rounds=ROUNDS,
    )
    return ours / bare


def activations_vs_hello() -> tuple[float, float]:
    """How much an activation costs more than a view that does nothing, and activations a second.

    By a token of the owner, each on a device that is new, with movement and license file; both on one web server of two
    processes with four clients.
    """
    numbers, token = itertools.count(1), _token()
    items = [issue_source().pk for _ in range(CLIENTS)]

    def activation(client: int) -> bytes:
        number = next(numbers)
        body = {"item_id": items[client], "host_id": f"BENCH-{number}", "name": "Entrance"}
        headers = {"Authorization": f"Bearer {token}", "Idempotency_Key": f"bench-{number}"}
        return post("/api/v1/activations", json.dumps(body), **headers)

    with web_server() as send:
        ours, nothing = interleaved(
            lambda: send(activation, REQUESTS),
            lambda: send(lambda _client: get("/hello/"), REQUESTS),
            rounds=ROUNDS,
        )
    return ours / nothing, REQUESTS / ours


def _token() -> str:
    """Of who owns what ``issue_source`` issues."""
    secret, actor = new_secret(), admin_of(Tier.DISTRIBUTOR)
    create_api_token(actor=actor, key=new_key(), secret=secret, name="Bench", scopes=["activate"])
    return secret


def _some_license() -> License:
    """Not saved: what a license is made of, as the service has it in hand."""
    item = LineItem.objects.select_related("product", "owner").latest("pk")
    device = Device(pk=1, account=item.owner, host_id="00:03:C5:AA:BB:CC", name="Entrance")
    activation = Activation(item=item, device=device)
    return License(activation=activation, copies=2, key=signing.active_key(), issued_at=timezone.now())
