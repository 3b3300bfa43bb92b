"""The format of license files, read with nothing but the published description of machine files (L5)."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from entitlements.activation.formats.license_files import (
    MAX_LICENSE_LENGTH,
    CannotReadError,
    NotALicenseFileError,
    pack,
    read,
    unpack,
)

pytestmark = pytest.mark.once

ID, HOST = "7KQ4-0000-0000-0000-0000-0000-0000", "00:03:C5:AA:BB:CC"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DOCUMENT = {"data": {"type": "machines", "attributes": {"name": "Kamera Süd"}}, "meta": {"version": 1}}


def packed(document: dict[str, Any] = DOCUMENT) -> str:
    return pack(document, activation_id=ID, host_id=HOST, sign=lambda text: PRIVATE.sign(b"machine/" + text))


def published_reader(text: str, activation_id: str, host_id: str, public: Ed25519PublicKey) -> Any:
    """A reader written after the published description alone, which shares no line with the portal."""
    lines = text.strip().split("\n")
    assert lines[0] == "-----BEGIN MACHINE FILE-----"
    assert lines[-1] == "-----END MACHINE FILE-----"
    outer = json.loads(base64.b64decode("".join(lines[1:-1])))
    assert outer["alg"] == "aes-256-gcm+ed25519"
    public.verify(base64.b64decode(outer["sig"]), f"machine/{outer['enc']}".encode())
    ciphertext, iv, tag = (base64.b64decode(part) for part in outer["enc"].split("."))
    key = hashlib.sha256(activation_id.encode() + host_id.encode()).digest()
    decryptor = Cipher(algorithms.AES(key), modes.GCM(iv, tag)).decryptor()
    return json.loads(decryptor.update(ciphertext) + decryptor.finalize())


def test_who_knows_the_published_form_reads_it() -> None:
    """L5: existing verifiers read the portal's files unchanged."""
    assert published_reader(packed(), ID, HOST, PRIVATE.public_key()) == DOCUMENT


def test_there_and_back() -> None:
    """L5: the portal reads its own files."""
    assert read(unpack(packed()), activation_id=ID, host_id=HOST) == DOCUMENT


@pytest.mark.parametrize(("activation_id", "host_id"), [(ID[::-1], HOST), (ID, "00:03:C5:AA:BB:CD")])
def test_only_with_both(activation_id: str, host_id: str) -> None:
    """L5: the file needs both the Activation ID and the host ID."""
    with pytest.raises(CannotReadError):
        read(unpack(packed()), activation_id=activation_id, host_id=host_id)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 6))
def test_no_changed_bit_passes(at: int, bit: int) -> None:
    """L5: a changed file is no license file, or says the same, or has a wrong signature."""
    original = packed()
    text = bytearray(original.encode())
    text[at % len(text)] ^= 1 << bit
    try:
        sealed = unpack(text.decode("latin-1"))
    except NotALicenseFileError:
        return
    if sealed != unpack(original):
        with pytest.raises(InvalidSignature):
            PRIVATE.public_key().verify(sealed.signature, b"machine/" + sealed.signed)


def wrapped(payload: object) -> str:
    body = base64.b64encode(json.dumps(payload).encode()).decode()
    return f"-----BEGIN MACHINE FILE-----\n{body}\n-----END MACHINE FILE-----"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN MACHINE FILE-----",
        "-----BEGIN MACHINE FILE-----\n????\n-----END MACHINE FILE-----",
        packed().replace("MACHINE", "LICENSE"),
        packed() + " " * MAX_LICENSE_LENGTH,
        wrapped([]),
        wrapped(None),
        wrapped({}),
        wrapped({"enc": "a.b.c", "sig": "", "alg": "base64+ed25519"}),
        wrapped({"enc": 7, "sig": "", "alg": "aes-256-gcm+ed25519"}),
        wrapped({"enc": "a.b", "sig": "", "alg": "aes-256-gcm+ed25519"}),
        wrapped({"enc": "a.b.c", "sig": 1, "alg": "aes-256-gcm+ed25519"}),
        wrapped({"enc": "a.b.c", "sig": "ä", "alg": "aes-256-gcm+ed25519"}),
        wrapped(eval("[" * 60 + "]" * 60)),
    ],
)
def test_what_is_none(text: str) -> None:
    """L5: any other upload raises NotALicenseFileError."""
    with pytest.raises(NotALicenseFileError):
        unpack(text)


VECTORS = sorted((Path(__file__).parents[2] / "vectors").glob("license-*.json"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vectors(path: Path) -> None:
    """L5: keys, file and expected result, with which others test their own readers."""
    vector = json.loads(path.read_text(encoding="utf-8"))
    keys = {key["kid"]: key["x"] for key in vector["jwks"]["keys"]}
    assert verdict(vector, keys) == vector["expected"]


def verdict(vector: dict[str, Any], keys: dict[str, str]) -> str:
    """The result of the checks in a device's order: format, signature, decryption, key, time, revocation."""
    try:
        sealed = unpack(vector["file"])
    except NotALicenseFileError:
        return "not a license file"
    if not any(signed_by(x, sealed.signature, sealed.signed) for x in keys.values()):
        return "not genuine"
    try:
        document = read(sealed, activation_id=vector["activation_id"], host_id=vector["host_id"])
    except CannotReadError:
        return "for another device or Activation ID"
    if not signed_by(keys.get(document["meta"]["keyId"], ""), sealed.signature, sealed.signed):
        return "unknown key"
    if document["meta"]["expiry"] is not None and document["meta"]["expiry"] <= vector["now"]:
        return "expired"
    revoked = document["included"][0]["id"] in vector["revoked"]
    return "returned" if revoked else "valid"


def signed_by(x: str, signature: bytes, signed: bytes) -> bool:
    try:
        raw = base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, b"machine/" + signed)
    except (ValueError, InvalidSignature):
        return False
    return True
