"""P3, L2–L6: the examples for others, as programs of their own against a running portal."""

import json
import os
import runpy
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Account
from accounts.services.api_tokens import new_secret
from entitlements.models import LineItem
from notifications.models import Mail
from tests.factories import make_cast, make_chain, make_token
from tests.roles import rotate_signing_key

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
pytestmark = pytest.mark.django_db(transaction=True)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(live_server: Any, settings: Any) -> Run:
    """An example with its arguments."""
    settings.SITE_URL = live_server.url

    def run_it(name: str, *arguments: str, portal: str = "", **environment: str) -> Any:
        command = [sys.executable, EXAMPLES / name, "--portal", portal or live_server.url, *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, env=os.environ | environment, timeout=120
        )

    return run_it


# --- The camera software ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_activate_keep_check_offline_return(run: Run, tmp_path: Path) -> None:
    """L2, L5, L6: without a login; a returned license is not valid any more, a rotation changes nothing."""
    cast = make_cast()
    served = make_chain(cast).served
    store = ["--store", str(tmp_path)]
    proof = [served.activation_id.lower().replace("-", " "), "0003c5aabbcc"]
    made = run("mxmc_client.py", *store, "activate", *proof, "--copies", "2", "--name", "Gate")
    assert made.returncode == 0, made.stderr
    assert "2 × Video Analytics on 00:03:C5:AA:BB:CC" in made.stdout
    (path,) = [path for path in tmp_path.glob("*.json") if path.stem not in ("keys", "revoked")]
    assert path.stat().st_mode & 0o077 == 0
    rotate_signing_key()
    offline = run("mxmc_client.py", *store, "check", portal="http://127.0.0.1:1")
    assert offline.stdout.startswith("VALID: "), offline.stdout
    kept = path.read_text()
    returned = run("mxmc_client.py", *store, "return", *proof)
    assert (returned.returncode, path.exists()) == (0, False), returned.stderr
    path.write_text(kept)  # a copy of the file does not help
    assert run("mxmc_client.py", *store, "refresh").returncode == 0
    checked = run("mxmc_client.py", *store, "check")
    assert (checked.returncode, "returned, replaced or cancelled" in checked.stdout) == (1, True)
    served.refresh_from_db()
    assert (served.available, served.activated) == (5, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("host_id", "00:03:C5:AA:BB:CD", "another Activation ID or another device"),
        ("file", "no license", "no license file"),
        ("file", "-----BEGIN MACHINE FILE-----\nAAAA\n-----END MACHINE FILE-----\n", "damaged"),
    ],
)
def test_what_is_not_valid(run: Run, tmp_path: Path, name: str, value: str, said: str) -> None:
    served = make_chain(make_cast()).served
    store = ["--store", str(tmp_path)]
    run("mxmc_client.py", *store, "activate", served.activation_id, "0003c5aabbcc")
    (path,) = [path for path in tmp_path.glob("*.json") if path.stem not in ("keys", "revoked")]
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    checked = run("mxmc_client.py", *store, "check")
    assert checked.returncode == 1
    assert said in checked.stdout


@pytest.mark.parametrize(
    ("issued", "expiry", "said"),
    [
        (timedelta(days=2), None, "the clock of this machine is wrong"),
        (timedelta(days=-9), timedelta(seconds=-1), "it expired on"),
        (timedelta(hours=20), None, ""),
        (timedelta(days=-9), timedelta(days=1), ""),
    ],
)
def test_clocks(issued: timedelta, expiry: timedelta | None, said: str) -> None:
    """A clock that is wrong by hours does no harm; one that is days behind would let licenses live on for ever."""
    program = runpy.run_path(str(EXAMPLES / "mxmc_client.py"))
    now = datetime.now(UTC)
    meta = {"issued": (now + issued).isoformat(), "expiry": (now + expiry).isoformat() if expiry else None}
    if not said:
        program["check_time"](meta)
        return
    with pytest.raises(program["Wrong"], match=said):
        program["check_time"](meta)


def test_a_refusal_is_said_in_the_portals_words(run: Run, tmp_path: Path) -> None:
    make_cast()
    wrong = run("mxmc_client.py", "--store", str(tmp_path), "activate", "7KQ4-0000", "0003c5aabbcc")
    assert wrong.returncode == 1
    assert "This Activation ID cannot be used here." in wrong.stderr


@pytest.mark.slow
def test_it_asks_again_where_the_answer_is_lost(run: Run, live_server: Any, tmp_path: Path) -> None:
    """The first request is carried out and its answer lost; the second gives the same license: no copy is lost."""
    served = make_chain(make_cast()).served
    lost: list[str] = []

    class Loses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, content = forward(f"{live_server.url}{self.path}", body)
            if not lost:
                lost.append(json.loads(content)["license_id"])
                self.close_connection = True
                return
            self.answer(status, content)

        def do_GET(self) -> None:
            self.answer(*forward(f"{live_server.url}{self.path}", None))

        def answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Loses) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.server_port}"
        store = ["--store", str(tmp_path)]
        made = run("mxmc_client.py", *store, "activate", served.activation_id, "0003c5aabbcc", portal=address)
        proxy.shutdown()
    assert made.returncode == 0, made.stderr
    assert f"{lost[0]}.json" in made.stdout
    served.refresh_from_db()
    assert served.activated == 1


def forward(address: str, body: bytes | None) -> tuple[int, bytes]:
    """What the portal answers."""
    request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.status, answer.read()


# --- The ERP ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_order_from_the_erp(run: Run, tmp_path: Path) -> None:
    """P3: a new partner with its admin, the entitlement deployed and mailed; run again, nothing is done twice."""
    cast, secret = make_cast(), new_secret()
    make_token(cast.mobotix, "read", "orders", secret=secret)
    order = order_for(cast.product.part_number)
    path = tmp_path / "order.json"
    path.write_text(json.dumps(order))
    first, again = (run("erp_order.py", str(path), MX_PORTAL_TOKEN=secret) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert again.stdout == first.stdout
    account = Account.objects.get(account_id="NEW-1")
    item = LineItem.objects.get()
    assert (item.owner, item.quantity, item.state) == (account, 50, "deployed")
    assert json.loads(first.stdout)["lines"][0]["activation_id"] == item.activation_id
    assert account.users.get().is_admin
    kinds = sorted(Mail.objects.values_list("kind", flat=True))
    assert kinds == ["accounts.credentials", "entitlements.activation"]
    path.write_text(
        json.dumps(order | {"order_number": "2", "contact": order["contact"] | {"email": "b@new.example"}})
    )
    second = run("erp_order.py", str(path), MX_PORTAL_TOKEN=secret)
    assert second.returncode == 0, second.stderr
    assert account.users.count() == 2


def test_a_wrong_order_says_what_is_wrong(run: Run, tmp_path: Path) -> None:
    secret = new_secret()
    make_token(make_cast().mobotix, "read", "orders", secret=secret)
    path = tmp_path / "order.json"
    path.write_text(json.dumps(order_for("no such product")))
    refused = run("erp_order.py", str(path), MX_PORTAL_TOKEN=secret)
    assert refused.returncode == 1
    assert "lines.0.part_number: There is no product with this part number." in refused.stderr
    assert "mxp_" not in refused.stderr
    nobody = run("erp_order.py", str(path), MX_PORTAL_TOKEN="")
    assert "Send a valid API token" in nobody.stderr


def order_for(part_number: str) -> dict[str, Any]:
    """As an ERP would write it."""
    line = {"part_number": part_number, "quantity": 50, "starts_on": "2026-11-24", "expires_on": None}
    return {
        "order_number": "4500012345",
        "order_date": "2026-11-24",
        "account": {"account_id": "NEW-1", "name": "New Trading", "tier": "distributor", "country": "DE"},
        "contact": {"first_name": "Dora", "last_name": "Lind", "email": "dora@new.example", "language": "de"},
        "lines": [line],
    }
