"""License files in the published format of Keygen's machine files, which existing verifiers read (L5).

A file is base64 of JSON ``{enc, sig, alg}`` between two marks. ``enc`` is ``ciphertext.iv.tag``, each in base64;
``sig`` is the Ed25519 signature over ``machine/`` and ``enc``. The key of AES-256-GCM is SHA-256 of the Activation ID
and the host ID: a reader with both can decrypt it, and anybody can check that it is genuine.
"""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mxportal.shared.canonical import canonical_json

BEGIN, END = "-----BEGIN MACHINE FILE-----", "-----END MACHINE FILE-----"
ALGORITHM = "aes-256-gcm+ed25519"
IV_BYTES, TAG_BYTES, LINE_LENGTH = 12, 16, 76
MAX_LICENSE_LENGTH = 64 * 1024  # characters; the portal's files have some two thousand


class NotALicenseFileError(ValueError):
    """The text does not have the form of a license file, or not its algorithm."""


class CannotReadError(ValueError):
    """The Activation ID or the host ID is not the one that the file was made for."""


@dataclass(frozen=True)
class Sealed:
    """The parts of a license file: the signed text, and the signature of 64 bytes."""

    enc: str
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The text that is signed behind the domain ``machine/``."""
        return self.enc.encode()

    @property
    def digest(self) -> str:
        """The hash by which the portal finds the license, however the file was wrapped or encoded on its way."""
        return hashlib.sha256(self.signed).hexdigest()


def pack(
    document: dict[str, Any], *, activation_id: str, host_id: str, sign: Callable[[bytes], bytes]
) -> str:
    """Return the license file of a document; ``sign`` signs the text behind ``machine/`` (L5)."""
    iv = secrets.token_bytes(IV_BYTES)
    sealed = AESGCM(_key(activation_id, host_id)).encrypt(iv, canonical_json(document), None)
    enc = b".".join(map(base64.b64encode, (sealed[:-TAG_BYTES], iv, sealed[-TAG_BYTES:])))
    # base64 has no characters that JSON escapes
    payload = b'{"enc": "%b", "sig": "%b", "alg": "%b"}' % (
        enc,
        base64.b64encode(sign(enc)),
        ALGORITHM.encode(),
    )
    text = base64.b64encode(payload).decode()
    lines = [text[at : at + LINE_LENGTH] for at in range(0, len(text), LINE_LENGTH)]
    return "\n".join([BEGIN, *lines, END, ""])


def unpack(text: str) -> Sealed:
    """Return the signed parts of a license file.

    Raises NotALicenseFileError.
    """
    body = text.strip()
    if len(text) > MAX_LICENSE_LENGTH or not (body.startswith(BEGIN) and body.endswith(END)):
        raise NotALicenseFileError
    try:
        payload = json.loads(_decode("".join(body[len(BEGIN) : -len(END)].split())))
        enc = payload["enc"]
        if payload["alg"] != ALGORITHM or not enc.isascii() or enc.count(".") != 2:
            raise NotALicenseFileError
        return Sealed(enc=enc, signature=_decode(payload["sig"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotALicenseFileError from error


def read(sealed: Sealed, *, activation_id: str, host_id: str) -> dict[str, Any]:
    """Return the document in a file whose signature was checked.

    Raises CannotReadError, NotALicenseFileError.
    """
    try:
        ciphertext, iv, tag = (_decode(part) for part in sealed.enc.split("."))
        return json.loads(AESGCM(_key(activation_id, host_id)).decrypt(iv, ciphertext + tag, None))
    except InvalidTag as error:
        raise CannotReadError from error
    except ValueError as error:
        raise NotALicenseFileError from error


def _key(activation_id: str, host_id: str) -> bytes:
    return hashlib.sha256(f"{activation_id}{host_id}".encode()).digest()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
