"""The certificate has signed data with proofs from the ledger, which show nothing about other items (L7)."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import Tier
from entitlements.certificates.services.render import certified_items, render_certificate
from entitlements.ledger.movements import record_device_movement, record_movement
from entitlements.ledger.sealing import proofs
from entitlements.ledger.sealing.commitments import item_token
from entitlements.ledger.sealing.proofs import evidence_for
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.signing import Domain, active_key, sign
from entitlements.models import LedgerHead, LineItem, MovementKind, UnsealedMovement
from entitlements.splits.services.undo import undo_split
from mxportal.shared.canonical import canonical_json
from tests.factories import (
    Cast,
    Chain,
    issue_item,
    make_account,
    make_activation,
    make_chain,
    split_item,
)
from tests.roles import rotate_signing_key

pytestmark = pytest.mark.django_db
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "verify_certificate.py"


@pytest.fixture
def chain(cast: Cast) -> Chain:
    """A chain whose movements lie between those of others in the ledger."""
    other = issue_item(cast, cast.other_distributor.account, quantity=777)
    chain = make_chain(cast, quantity=3_141, order_number="PO-4711")
    split_item(cast.other_distributor, other, cast.other_installer.account, copies=77)
    return chain


def pdf_of(*items: LineItem) -> bytes:
    fresh = list(
        LineItem.objects.filter(pk__in=[item.pk for item in items]).select_related("product").order_by("pk")
    )
    return render_certificate(items=fresh, language="en")


def data_of(pdf: bytes) -> dict[str, Any]:
    return json.loads(PdfReader(io.BytesIO(pdf)).attachments["certificate.json"][0])


def portal_says(content: bytes, tmp_path: Path) -> tuple[bool, str]:
    """The output of `manage.py verify_document`."""
    path, output = tmp_path / "document", io.StringIO()
    path.write_bytes(content)
    try:
        call_command("verify_document", str(path), stdout=output)
    except CommandError as error:
        return False, output.getvalue() + str(error)
    return True, output.getvalue()


def example_says(content: bytes, tmp_path: Path) -> tuple[bool, str]:
    """The output of the example's checker, which knows only the public keys."""
    path, keys = tmp_path / "certificate", tmp_path / "jwks.json"
    path.write_bytes(content)
    keys.write_bytes(Client().get(reverse("jwks")).content)
    command = [sys.executable, "-I", str(EXAMPLE), str(path), "--keys", str(keys)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={"PYTHONIOENCODING": "utf-8"}
    )
    assert done.stderr == ""
    return done.returncode == 0, done.stdout


def both_say(content: bytes, tmp_path: Path) -> tuple[bool, str]:
    """Portal and example must agree."""
    (portal, said), (example, printed) = portal_says(content, tmp_path), example_says(content, tmp_path)
    assert portal == example, said + printed
    return portal, said + printed


def test_the_pdf_carries_its_data(cast: Cast, chain: Chain) -> None:
    """L7: an associated file of PDF/A-3 with the content of the page."""
    pdf = pdf_of(chain.served)
    root = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    file = root["/AF"][0].get_object()
    assert (file["/AFRelationship"], file["/UF"]) == ("/Data", "certificate.json")
    assert file["/EF"]["/F"].get_object()["/Subtype"] == "/application/json"
    certificate = data_of(pdf)["certificate"]
    assert certificate["issuer"]["name"] == "MOBOTIX AG"
    assert certificate["owner"]["name"] == "City Hospital"
    assert certificate["order_number"] == "PO-4711"
    (line,) = certificate["lines"]
    assert (line["activation_id"], line["quantity"]) == (chain.served.activation_id, 5)
    assert (line["part_number"], line["expires_on"]) == (cast.product.part_number, "permanent")


def test_the_data_is_canonical_json(chain: Chain) -> None:
    """L7: sorted keys, no spaces, UTF-8, only strings and integers."""
    content = PdfReader(io.BytesIO(pdf_of(chain.served))).attachments["certificate.json"][0]
    assert canonical_json(json.loads(content)) == content


@pytest.mark.slow
def test_it_is_checked_by_the_portal_and_without_it(chain: Chain, tmp_path: Path) -> None:
    """L7: PDF or JSON, items of every tier, with one proof for each step from MOBOTIX's issue."""
    for steps, item in enumerate((chain.issued, chain.installed, chain.served), start=1):
        pdf = pdf_of(item)
        assert both_say(pdf, tmp_path)[0]
        assert both_say(canonical_json(data_of(pdf)), tmp_path)[0]
        assert len(data_of(pdf)["certificate"]["lines"][0]["movements"]) == steps


@pytest.mark.slow
def test_a_whole_entitlement(cast: Cast, chain: Chain, tmp_path: Path) -> None:
    """E7, L7: several lines, each with its proofs, under one head."""
    split_item(cast.installer, chain.installed, cast.customer, copies=3, order_number="PO-4711")
    pdf = render_certificate(items=certified_items(chain.served.entitlement), language="de")
    assert [line["quantity"] for line in data_of(pdf)["certificate"]["lines"]] == [5, 3]
    holds, said = both_say(pdf, tmp_path)
    assert holds
    assert "3 × " in said


def test_nothing_of_others_is_shown(cast: Cast, chain: Chain) -> None:
    """A4, L7: steps above show neither quantity nor name, person, time or code; no other item is shown."""
    content = PdfReader(io.BytesIO(pdf_of(chain.served))).attachments["certificate.json"][0].decode()
    for secret in (
        "Nordlicht",
        '"3141"',
        chain.issued.activation_id,
        chain.installed.activation_id,
        chain.issued.verification_code,
        chain.installed.verification_code,
    ):
        assert secret not in content
    *above, own = json.loads(content)["certificate"]["lines"][0]["movements"]
    assert all(set(step["shown"]) == {"kind", "item", "parent", "product"} for step in above)
    assert set(own["shown"]) == {"kind", "item", "parent", "product", "copies"}
    assert all(set(step["hidden"]) >= {"actor", "time", "reason", "movement"} for step in [*above, own])
    assert above[-1]["shown"]["item"]["value"] == item_token(chain.installed.verification_code)


@pytest.mark.slow
def test_the_quantity_is_that_of_the_date_of_issue(cast: Cast, chain: Chain, tmp_path: Path) -> None:
    """E8, L7: a certificate from before an undo stays valid with the earlier quantity; a new one has the new
    quantity.
    """
    before = pdf_of(chain.served)
    undo_split(actor=cast.installer, item_id=chain.served.pk, copies=2, key="undo")
    after = pdf_of(chain.served)
    for pdf, quantity, movements in ((before, 5, 3), (after, 3, 4)):
        holds, said = both_say(pdf, tmp_path)
        assert holds, said
        assert "today: 3 copies" in said
        (line,) = data_of(pdf)["certificate"]["lines"]
        assert (line["quantity"], len(line["movements"])) == (quantity, movements)


@pytest.mark.slow
def test_corrections_and_activations(cast: Cast, chain: Chain, tmp_path: Path) -> None:
    """E15, L7: it shows what raised or lowered an issued item; an activation changes no quantity."""
    record_movement(actor=cast.mobotix, kind=MovementKind.ADJUST, item=chain.issued, copies=9)
    record_movement(actor=cast.mobotix, kind=MovementKind.REVOKE, item=chain.issued, copies=4)
    record_device_movement(
        actor=cast.mobotix, kind=MovementKind.ACTIVATE, activation=make_activation(chain.issued), copies=1
    )
    pdf = pdf_of(chain.issued)
    assert both_say(pdf, tmp_path)[0]
    (line,) = data_of(pdf)["certificate"]["lines"]
    assert line["quantity"] == 3_146
    assert [step["shown"]["kind"]["value"] for step in line["movements"]] == ["issue", "adjust", "revoke"]


def test_newest_movements_are_sealed_first(chain: Chain) -> None:
    """L7: a certificate that is mailed with the split has its proof."""
    assert UnsealedMovement.objects.exists()
    assert LedgerHead.objects.count() == 0
    pdf_of(chain.served)
    assert LedgerHead.objects.count() == 1
    pdf_of(chain.served)
    assert LedgerHead.objects.count() == 1


@pytest.mark.slow
def test_what_is_not_sealed_says_so(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """L7: where sealing is far behind, the data says so, and the checkers explain it."""
    monkeypatch.setattr(proofs, "seal_ledger", lambda **kwargs: 0)
    for sealed in (False, True):
        pdf = pdf_of(chain.served)
        assert data_of(pdf)["certificate"]["lines"][0]["movements"][-1]["state"] == "waiting"
        holds, said = both_say(pdf, tmp_path)
        assert not holds
        assert "not sealed yet" in said
        if not sealed:
            UnsealedMovement.objects.exclude(movement__item=chain.issued).delete()
            seal_ledger()


@pytest.mark.slow
def test_old_keys_still_verify(chain: Chain, tmp_path: Path) -> None:
    """L6: certificates verify after a rotation."""
    pdf = pdf_of(chain.served)
    rotate_signing_key()
    assert both_say(pdf, tmp_path)[0]
    assert both_say(pdf_of(chain.served), tmp_path)[0]


def signed_again(data: dict[str, Any]) -> bytes:
    """Changed data, signed with the portal's key."""
    statement = {name: value for name, value in data.items() if name != "signature"}
    key = active_key()
    signature = sign(key, Domain.CERTIFICATE, canonical_json(statement)).hex()
    return canonical_json(statement | {"signature": {"key": key.key_id, "value": signature}})


def own_copies(data: dict[str, Any], value: str) -> None:
    data["certificate"]["lines"][0]["movements"][-1]["shown"]["copies"]["value"] = value


@pytest.mark.slow
def test_what_was_changed_is_found(chain: Chain, tmp_path: Path) -> None:
    """L7: any change breaks the signature; even with a stolen key, the ledger contradicts it."""
    pdf = pdf_of(chain.served)

    def line(data: dict[str, Any]) -> dict[str, Any]:
        return data["certificate"]["lines"][0]

    changes: dict[str, Any] = {
        "quantity": lambda data: line(data).update(quantity=6),
        "quantity and copies": lambda data: (line(data).update(quantity=6), own_copies(data, "6")),
        "product": lambda data: line(data).update(product="99"),
        "another item": lambda data: line(data).update(verification_code="x"),
        "no issue": lambda data: line(data)["movements"].pop(0),
        "a step left out": lambda data: line(data)["movements"].pop(1),
        "no movement": lambda data: line(data)["movements"].clear(),
        "twice": lambda data: line(data).update(
            movements=[*line(data)["movements"], line(data)["movements"][-1]], quantity=10
        ),
        "another place": lambda data: line(data)["movements"][0].update(leaf=4),
        "a longer proof": lambda data: line(data)["movements"][0]["proof"].append("00" * 32),
        "no proof": lambda data: line(data)["movements"][0]["proof"].clear(),
        "root": lambda data: data["head"].update(root="00" * 32),
        "size": lambda data: data["head"].update(size=99),
        "no head": lambda data: data["head"].clear(),
    }
    for name, change in changes.items():
        data = data_of(pdf)
        change(data)
        for content in (canonical_json(data), signed_again(data)):
            assert not both_say(content, tmp_path)[0], name
    unchanged = data_of(pdf)
    assert both_say(signed_again(unchanged), tmp_path)[0]
    unchanged["certificate"]["owner"]["name"] = "Somebody else"
    holds, said = both_say(canonical_json(unchanged), tmp_path)
    assert not holds
    assert "DOES NOT HOLD: This portal signed the certificate" in said


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"%PDF-1.7 no", b'{"format": "mx-license-certificate/1"}', b"\xff"]
)
def test_other_files(content: bytes, tmp_path: Path) -> None:
    """L7: they give a sentence, no traceback."""
    assert not portal_says(content, tmp_path)[0]
    assert "Traceback" not in portal_says(content, tmp_path)[1]


def test_proofs_are_cheap(cast: Cast, chain: Chain) -> None:
    """L7: a certificate takes a few queries, however many lines it has and however large the tree is."""
    for number in range(12):
        buyer = make_account(Tier.END_CUSTOMER, f"Buyer {number}", sellers=(cast.installer.account,))
        split_item(cast.installer, chain.installed, buyer, copies=1)
    seal_ledger()
    for items in ([chain.served], list(LineItem.objects.filter(parent=chain.installed))):
        with CaptureQueriesContext(connection) as queries:
            evidence_for(items)
        assert len(queries) == 6
