"""L6: a signing key that somebody else may have: everybody is told, and what it signed is issued anew."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.signing import active_key
from entitlements.models import LedgerHead, License
from notifications.models import Mail
from tests.entitlements.activation.devices import put_on
from tests.entitlements.certificates.test_signed_certificate import pdf_of
from tests.entitlements.certificates.test_verify_document import portal_says
from tests.factories import Cast, Chain
from tests.live import ROOT
from tests.roles import as_owner, rotate_signing_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def license(cast: Cast, chain: Chain) -> License:
    seal_ledger()
    return put_on(cast, chain.served)


def compromise(key_id: str) -> None:
    with as_owner():
        call_command("mark_key_compromised", key_id, "--reason", "stolen", stdout=io.StringIO())


def issue_anew(*options: str) -> str:
    output = io.StringIO()
    call_command("issue_anew", *options, stdout=output)
    return output.getvalue()


def jwks() -> dict[str, dict[str, object]]:
    return {key["kid"]: key for key in Client().get(reverse("jwks")).json()["keys"]}


def test_the_public_keys_say_so(license: License) -> None:
    """L6: it allows no operation and names the moment; the key that replaces it signs from now on."""
    old = active_key()
    compromise(old.key_id)
    old.refresh_from_db()
    assert old.compromised_at is not None
    new = active_key()
    assert new != old
    said = jwks()
    assert said[old.key_id]["revoked"] == {
        "revoked_at": int(old.compromised_at.timestamp()),
        "reason": "compromised",
    }
    assert (said[old.key_id]["key_ops"], "use" in said[old.key_id]) == ([], False)
    assert (said[new.key_id]["use"], "revoked" in said[new.key_id]) == ("sig", False)
    assert Client().get("/api/v1/keys").json()["keys"][1]["revoked"] == said[old.key_id]["revoked"]
    assert AuditEntry.objects.get(action="key_compromised").reason == "stolen"


def test_a_retired_key_can_be_marked(license: License) -> None:
    """L6: the key that signs now stays; marking it again changes nothing; an unknown one is refused."""
    old = active_key()
    new = rotate_signing_key()
    compromise(old.key_id)
    assert active_key() == new
    old.refresh_from_db()
    marked = old.compromised_at
    compromise(old.key_id)
    old.refresh_from_db()
    assert old.compromised_at == marked
    with pytest.raises(CommandError, match="There is no signing key nobody"):
        compromise("nobody")


def test_documents_are_not_genuine_any_more(license: License, tmp_path: Path) -> None:
    """L6: `verify_document` and /verify/ say why, in both languages."""
    assert portal_says(license.file, tmp_path)[0]
    compromise(license.key.key_id)
    holds, said = portal_says(license.file, tmp_path)
    assert not holds
    assert (
        "DOES NOT HOLD: Only this portal has the key that signed it: it was marked as compromised on" in said
    )
    upload = {"way": "file", "file": io.BytesIO(license.file.encode())}
    upload["file"].name = "license.lic"  # type: ignore[attr-defined]
    page = Client().post(reverse("verify_start"), upload, headers={"accept-language": "de"})
    assert "Nur dieses Portal hat den Schlüssel" in page.content.decode()


@pytest.mark.slow
def test_licenses_are_issued_anew(cast: Cast, chain: Chain, license: License, tmp_path: Path) -> None:
    """L6: same device, same copies, signed by the new key; the old one is listed as ended; once more does nothing."""
    compromise(license.key.key_id)
    assert "License files issued anew: 1." in issue_anew()
    new = License.objects.valid().get()
    assert (new.activation, new.copies, new.key) == (license.activation, license.copies, active_key())
    license.refresh_from_db()
    assert license.ended_at is not None
    assert portal_says(new.file, tmp_path)[0]
    ended = Client().get("/api/v1/revocations").json()["items"]
    assert [row["license_id"] for row in ended] == [str(license.license_id)]
    assert AuditEntry.objects.get(action="license_reissued").object_id == chain.served.pk
    assert "License files issued anew: 0." in issue_anew()
    again = put_on(cast, chain.served)
    assert again == new, "the camera that asks for the same copies gets the new file"


def test_contacts_get_the_new_files(chain: Chain, license: License) -> None:
    """L6: where the operator wants it, by the mail that brings licenses."""
    compromise(license.key.key_id)
    issue_anew("--send-mails")
    mail = Mail.objects.latest("pk")
    assert (mail.recipient_email, mail.context["licenses"]) == (chain.served.contact.email, True)


def test_ended_and_sound_licenses_stay(cast: Cast, chain: Chain, license: License) -> None:
    """L6: only what is valid and by a compromised key."""
    old = license.key
    rotate_signing_key()
    sound = put_on(cast, chain.served, 1, "00:03:C5:00:00:01")
    ended = put_on(cast, chain.served, 1)  # ends the first one
    compromise(old.key_id)
    assert "License files issued anew: 0." in issue_anew()
    assert set(License.objects.valid()) == {sound, ended}


@pytest.mark.slow
def test_the_examples_take_no_compromised_key(chain: Chain, tmp_path: Path) -> None:
    """L6: a certificate of before is refused by anybody's reader; a new one is signed by the new key."""
    seal_ledger()
    keys = tmp_path / "jwks.json"

    def checked(content: bytes) -> int:
        (tmp_path / "certificate.pdf").write_bytes(content)
        command = [sys.executable, "examples/verify_certificate.py", str(tmp_path / "certificate.pdf")]
        done = subprocess.run([*command, "--keys", str(keys)], check=False, cwd=ROOT, capture_output=True)
        return done.returncode

    before = pdf_of(chain.served)
    keys.write_text(json.dumps({"keys": list(jwks().values())}))
    assert checked(before) == 0
    compromise(active_key().key_id)
    issue_anew()
    keys.write_text(json.dumps({"keys": list(jwks().values())}))
    assert checked(before) == 1
    assert checked(pdf_of(chain.served)) == 0


def test_the_ledger_has_a_new_head(license: License) -> None:
    """L6: over the same tree and what was sealed since, by the new key."""
    old = LedgerHead.objects.latest("size")
    compromise(old.key.key_id)
    issue_anew()
    new = LedgerHead.objects.latest("size")
    assert (new.key, new.size > old.size) == (active_key(), True)
