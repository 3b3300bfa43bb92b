"""Signing, and the keys for it; every kind of statement has a prefix, so that none can pass for another (L6)."""

import base64
import hashlib
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from entitlements.models import SigningKey
from mxportal.shared.canonical import canonical_json
from mxportal.shared.encryption import encryption
from mxportal.shared.queries import one_or_none


class Domain(StrEnum):
    """The kinds of signed statements: the first bytes of everything that is signed."""

    LEDGER_HEAD = "ledger-head/"
    CERTIFICATE = "certificate/"
    MACHINE = "machine/"


def sign(key: SigningKey, domain: Domain, text: bytes) -> bytes:
    """Return the signature, 64 bytes.

    Raises ImproperlyConfigured where KEY_ENCRYPTION_KEY does not open the key.
    """
    return _private_half_of(key).sign(domain.encode() + text)


def is_signed(key: SigningKey, domain: Domain, text: bytes, signature: bytes) -> bool:
    """Return whether that key signed this text."""
    public = Ed25519PublicKey.from_public_bytes(_from_base64url(key.public_key))
    try:
        public.verify(signature, domain.encode() + text)
    except InvalidSignature:
        return False
    return True


def active_key() -> SigningKey:
    """Return the key that signs now.

    Raises ImproperlyConfigured where `migrate` has not created one yet.
    """
    if key := one_or_none(SigningKey.objects.filter(retired_at=None)):
        return key
    raise ImproperlyConfigured(
        "There is no signing key yet. Run manage.py migrate, which makes the first one."
    )


def make_first_key() -> None:
    """Create a signing key where there is none, as the owner of the tables (L6)."""
    if not SigningKey.objects.exists():
        _make_key()


def lock_keys() -> SigningKey:
    """Lock the keys within the caller's transaction and return the active one.

    No other process seals or changes keys meanwhile. The lock is on the oldest key, which stays the oldest, so that a
    process that waited reads the active key afterwards. For this lock the application's role may update a key's number;
    a trigger refuses the update itself.
    """
    SigningKey.objects.for_update().order_by("pk").first()
    return active_key()


@transaction.atomic(durable=True)
def rotate_signing_key() -> SigningKey:
    """Retire the active key and create another one (L6).

    Signatures of the old key stay verifiable; it signs nothing new. Only the owner of the tables has the right to
    change keys.
    """
    return replace_key(lock_keys())


def replace_key(key: SigningKey) -> SigningKey:
    """Retire ``key`` and create another one, within the caller's transaction and its lock of the keys."""
    key.retired_at, key.private_key = timezone.now(), ""
    key.save(update_fields=["retired_at", "private_key"])
    return _make_key()


@transaction.atomic(durable=True)
def reencrypt_signing_keys() -> int:
    """Encrypt every stored private half with the first key of KEY_ENCRYPTION_KEY, and return how many there are.

    Raises ImproperlyConfigured, and changes nothing, where one of them does not open.
    """
    lock_keys()
    keys = SigningKey.objects.exclude(private_key="").order_by("pk")
    for key in keys:
        _private_half_of(key)
        key.private_key = encryption(settings.KEY_ENCRYPTION_KEY).rotate(key.private_key).decode()
        key.save(update_fields=["private_key"])
    return len(keys)


def current_key_problem() -> str:
    """Return a sentence that says why the portal cannot sign; "" where it can.

    One query: decrypted keys are kept in the process.
    """
    key = one_or_none(SigningKey.objects.filter(retired_at=None))
    try:
        if key:
            _private_half_of(key)
    except ImproperlyConfigured as error:
        return str(error)
    return ""


def public_keys() -> dict[str, Any]:
    """Return all keys that ever signed, the newest first, as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {"keys": [_jwk(key) for key in SigningKey.objects.order_by("-pk")]}


def _jwk(key: SigningKey) -> dict[str, Any]:
    """Return a key as a JWK.

    A compromised key is marked as in OpenID Federation 1.0, and allows no operation (RFC 7517, 4.3).
    """
    jwk = {"kty": "OKP", "crv": key.algorithm, "x": key.public_key, "kid": key.key_id, "alg": "EdDSA"}
    if key.compromised_at is None:
        return jwk | {"use": "sig"}
    revoked = {"revoked_at": int(key.compromised_at.timestamp()), "reason": "compromised"}
    return jwk | {"key_ops": [], "revoked": revoked}


def thumbprint(public_key: str) -> str:
    """Return the ID of a key, which is derived from its public half (RFC 7638; L6)."""
    return _to_base64url(
        hashlib.sha256(canonical_json({"crv": "Ed25519", "kty": "OKP", "x": public_key})).digest()
    )


def _make_key() -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = _to_base64url(private.public_key().public_bytes_raw())
    return SigningKey.objects.create(
        key_id=thumbprint(public),
        public_key=public,
        private_key=encryption(settings.KEY_ENCRYPTION_KEY).encrypt(private.private_bytes_raw()).decode(),
    )


def _private_half_of(key: SigningKey) -> Ed25519PrivateKey:
    return private_half(key.private_key, key.public_key, settings.KEY_ENCRYPTION_KEY)


@lru_cache(maxsize=2)
def private_half(encrypted: str, public_key: str, encryption_keys: str) -> Ed25519PrivateKey:
    """Return the private key of ``public_key``, and keep it in the process.

    Decrypting and loading take longer than signing. Raises ImproperlyConfigured where none of ``encryption_keys`` opens
    it, or where it belongs to another key.
    """
    try:
        private = Ed25519PrivateKey.from_private_bytes(encryption(encryption_keys).decrypt(encrypted))
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "KEY_ENCRYPTION_KEY does not open the signing key, which was encrypted with another one. Add that one "
            "again behind a comma, or make a new signing key: manage.py rotate_signing_key."
        ) from error
    if _to_base64url(private.public_key().public_bytes_raw()) != public_key:
        raise ImproperlyConfigured(
            "The private half of the signing key does not belong to its public half: somebody replaced one of them. "
            "Make a new signing key: manage.py rotate_signing_key."
        )
    return private


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
