"""The test vectors, checked by a reader that follows the published format and shares no line with the portal
(L5, L6).
"""

import base64
import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.test import Client
from django.urls import reverse

from entitlements.activation.services.activate import activate, activate_as_bearer, return_as_bearer
from entitlements.models import License, today
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import MAC, host
from tests.factories import issue_item, make_cast, make_chain
from tests.roles import rotate_signing_key

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = {
    path.stem.removeprefix("license-"): json.loads(path.read_text()) for path in FOLDER.glob("license-*.json")
}
NAMED_BY_THE_ISSUE = {
    "valid": "valid",
    "tampered": "not genuine",
    "wrong-key": "not genuine",
    "expired": "expired",
    "returned": "returned",
    "unknown-key-id": "unknown key",
}


def judge(vector: dict[str, Any]) -> str:
    """The result of the checks in the order of tests/vectors/README.md."""
    lines = vector["file"].strip().splitlines()
    if (lines[0], lines[-1]) != ("-----BEGIN MACHINE FILE-----", "-----END MACHINE FILE-----"):
        return "not a license file"
    outer = json.loads(base64.b64decode("".join(lines[1:-1])))
    signer = next((kid for kid, key in keys_of(vector["jwks"]) if signed(key, outer)), None)
    if signer is None:
        return "not genuine"
    ciphertext, iv, tag = (base64.b64decode(part) for part in outer["enc"].split("."))
    secret = hashlib.sha256((vector["activation_id"] + vector["host_id"]).encode()).digest()
    reader = Cipher(algorithms.AES(secret), modes.GCM(iv, tag)).decryptor()
    try:
        document = json.loads(reader.update(ciphertext) + reader.finalize())
    except InvalidTag:
        return "for another device or Activation ID"
    if document["meta"]["keyId"] != signer:
        return "unknown key"
    expiry = document["meta"]["expiry"]
    if expiry is not None and expiry <= vector["now"]:
        return "expired"
    return "returned" if document["included"][0]["id"] in vector["revoked"] else "valid"


def keys_of(jwks: dict[str, Any]) -> list[tuple[str, Ed25519PublicKey]]:
    raw = [(key["kid"], base64.urlsafe_b64decode(key["x"] + "==")) for key in jwks["keys"]]
    return [(kid, Ed25519PublicKey.from_public_bytes(x)) for kid, x in raw]


def signed(key: Ed25519PublicKey, outer: dict[str, Any]) -> bool:
    try:
        key.verify(base64.b64decode(outer["sig"]), b"machine/" + outer["enc"].encode())
    except InvalidSignature:
        return False
    return outer["alg"] == "aes-256-gcm+ed25519"


@pytest.mark.parametrize("name", VECTORS)
def test_each_vector(name: str) -> None:
    """L5: the reader gets the result that the vector expects."""
    assert judge(VECTORS[name]) == VECTORS[name]["expected"]


def test_none_is_missing() -> None:
    """L5: every required vector exists and has the right content."""
    assert {name: VECTORS[name]["expected"] for name in NAMED_BY_THE_ISSUE} == NAMED_BY_THE_ISSUE


def vector_of(license: License, activation_id: str, host_id: str = MAC) -> dict[str, Any]:
    """A license as a device has it, with the published keys and revocations."""
    return {
        "jwks": Client().get(reverse("jwks")).json(),
        "file": license.file,
        "activation_id": activation_id,
        "host_id": host_id,
        "now": "2026-06-01T00:00:00.000Z",
        "revoked": [ended["license_id"] for ended in Client().get("/api/v1/revocations").json()["items"]],
    }


@pytest.mark.django_db
def test_rotation_drill() -> None:
    """L6: after a rotation the old license still verifies, a returned one fails; without the old key it is not
    genuine.
    """
    served = make_chain(make_cast()).served
    old = activate_as_bearer(activation_id=served.activation_id, host=host(), copies=1)
    rotate_signing_key()
    other = "00:03:C5:00:00:01"
    new = activate_as_bearer(activation_id=served.activation_id, host=host(other), copies=1)
    assert judge(vector_of(old, served.activation_id)) == "valid"
    assert judge(vector_of(new, served.activation_id, other)) == "valid"
    assert old.key != new.key
    return_as_bearer(activation_id=served.activation_id, host=host())
    assert judge(vector_of(old, served.activation_id)) == "returned"
    assert judge(vector_of(new, served.activation_id, other)) == "valid"
    without = vector_of(old, served.activation_id)
    without["jwks"]["keys"] = [key for key in without["jwks"]["keys"] if key["kid"] == new.key.key_id]
    assert judge(without) == "not genuine"


@pytest.mark.django_db
@pytest.mark.parametrize("days", [None, 30])
def test_expiry_and_ttl_of_a_file(days: int | None) -> None:
    """L5: readers of the format check the expiry only where there is a ttl; permanent licenses have neither."""
    cast = make_cast()
    expires_on = None if days is None else today() + timedelta(days=days)
    item = issue_item(cast, expires_on=expires_on)
    license = activate(
        actor=cast.mobotix, item_id=item.pk, host=host(), copies=1, key=new_key(), reason="Why not"
    )
    lines = license.file.strip().splitlines()
    ciphertext, iv, tag = (
        base64.b64decode(part)
        for part in json.loads(base64.b64decode("".join(lines[1:-1])))["enc"].split(".")
    )
    secret = hashlib.sha256((item.activation_id + license.activation.device.host_id).encode()).digest()
    reader = Cipher(algorithms.AES(secret), modes.GCM(iv, tag)).decryptor()
    meta = json.loads(reader.update(ciphertext) + reader.finalize())["meta"]
    if days is None:
        assert (meta["expiry"], meta["ttl"]) == (None, None)
        return
    issued, expiry = (datetime.fromisoformat(meta[name]) for name in ("issued", "expiry"))
    assert meta["ttl"] == int((expiry - issued).total_seconds()) > 0
