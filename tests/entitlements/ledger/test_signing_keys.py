"""Ed25519 keys, encrypted at rest, rotated with overlap, with published public halves (L6)."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse

from entitlements.ledger import startup
from entitlements.ledger.set_up import make_signing_key
from entitlements.ledger.signing import (
    Domain,
    active_key,
    current_key_problem,
    is_signed,
    private_half,
    sign,
)
from entitlements.ledger.triggers import drop
from entitlements.models import SigningKey
from tests.roles import as_owner, rotate_signing_key

pytestmark = pytest.mark.django_db


def published() -> list[dict[str, Any]]:
    response = Client().get(reverse("jwks"))
    assert response["Content-Type"] == "application/jwk-set+json"
    assert "max-age=300" in response["Cache-Control"]
    assert "public" in response["Cache-Control"]
    return response.json()["keys"]


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_set_up_makes_one_key() -> None:
    """L6: `migrate` creates it as the owner of the tables; running it again changes nothing."""
    key = active_key()
    with as_owner():
        make_signing_key()
    assert list(SigningKey.objects.all()) == [key]


def test_without_a_key_it_says_what_to_do() -> None:
    """L6: nothing else creates the first key."""
    with as_owner(), transaction.atomic():
        drop(connection)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM entitlements_signingkey")
        with pytest.raises(ImproperlyConfigured, match="manage.py migrate"):
            active_key()
        transaction.set_rollback(True)


def test_public_keys_are_published() -> None:
    """L6: in the form of RFC 8037, at the verifiers' address; the key ID is the thumbprint of RFC 7638."""
    assert reverse("jwks") == "/.well-known/jwks.json"
    (jwk,) = published()
    assert {name: jwk[name] for name in ("kty", "crv", "use", "alg")} == {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
    }
    thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]}, separators=(",", ":"))
    assert jwk["kid"] == unpadded(hashlib.sha256(thumbprint.encode()).digest())
    assert set(jwk) == {"kty", "crv", "x", "kid", "use", "alg"}


def test_a_signature_is_checked_with_the_published_key_alone() -> None:
    """L6: prefix and text are signed."""
    signature = sign(active_key(), Domain.CERTIFICATE, b"text")
    x = published()[0]["x"]
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "="))
    key.verify(signature, b"certificate/text")
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"text")


def test_no_statement_passes_for_another() -> None:
    """L6: a signature holds for its own kind of statement only."""
    key = active_key()
    signature = sign(key, Domain.CERTIFICATE, b"text")
    assert is_signed(key, Domain.CERTIFICATE, b"text", signature)
    assert not is_signed(key, Domain.LEDGER_HEAD, b"text", signature)
    assert not is_signed(key, Domain.CERTIFICATE, b"texts", signature)


def test_rotation_overlaps() -> None:
    """L6: the old public key stays and still verifies; its private half is deleted, and the new key signs."""
    old = active_key()
    signature = sign(old, Domain.CERTIFICATE, b"text")
    with as_owner():
        call_command("rotate_signing_key")
    new = active_key()
    old.refresh_from_db()
    assert new != old
    assert old.private_key == ""
    assert old.retired_at is not None
    assert is_signed(old, Domain.CERTIFICATE, b"text", signature)
    assert [key["kid"] for key in published()] == [new.key_id, old.key_id]


def test_private_keys_are_encrypted_at_rest(settings: Any) -> None:
    """L6: with the environment's key; another one opens nothing, and the error says what to do."""
    key = active_key()
    assert len(Fernet(settings.KEY_ENCRYPTION_KEY).decrypt(key.private_key)) == 32
    settings.KEY_ENCRYPTION_KEY = Fernet.generate_key().decode()
    with pytest.raises(ImproperlyConfigured, match="rotate_signing_key"):
        sign(key, Domain.CERTIFICATE, b"text")
    new = rotate_signing_key()
    assert is_signed(new, Domain.CERTIFICATE, b"text", sign(new, Domain.CERTIFICATE, b"text"))


def test_several_encryption_keys_open_and_the_first_encrypts(settings: Any) -> None:
    """L6: KEY_ENCRYPTION_KEY=new,old opens both; a new signing key is encrypted with the first."""
    key, old, new = active_key(), settings.KEY_ENCRYPTION_KEY, Fernet.generate_key().decode()
    settings.KEY_ENCRYPTION_KEY = f"{new},{old}"
    assert is_signed(key, Domain.CERTIFICATE, b"text", sign(key, Domain.CERTIFICATE, b"text"))
    assert len(Fernet(new).decrypt(rotate_signing_key().private_key)) == 32


def test_the_encryption_key_changes_without_an_outage(settings: Any) -> None:
    """L6: in each step of docs/operating.md, restarted and not yet restarted processes can sign."""
    key, old, new = active_key(), settings.KEY_ENCRYPTION_KEY, Fernet.generate_key().decode()

    def signs(keys: str) -> bool:
        settings.KEY_ENCRYPTION_KEY = keys
        private_half.cache_clear()
        signature = sign(active_key(), Domain.CERTIFICATE, b"text")
        return is_signed(key, Domain.CERTIFICATE, b"text", signature)

    assert signs(old)
    assert signs(f"{new},{old}"), "while the processes are restarted with both"
    with as_owner():
        call_command("reencrypt_signing_keys")
    assert signs(f"{new},{old}")
    assert signs(new), "while they are restarted with the new one alone"
    settings.KEY_ENCRYPTION_KEY = old
    with as_owner(), pytest.raises(CommandError, match="Add that one again"):
        call_command("reencrypt_signing_keys")


def test_a_private_half_of_another_key_signs_nothing(settings: Any) -> None:
    """L6: after an exchange of the private half in the database nothing is signed."""
    key, other = active_key(), Ed25519PrivateKey.generate()
    with as_owner():
        key.private_key = Fernet(settings.KEY_ENCRYPTION_KEY).encrypt(other.private_bytes_raw()).decode()
        key.save()
    with pytest.raises(ImproperlyConfigured, match="does not belong"):
        sign(active_key(), Domain.CERTIFICATE, b"text")
    assert "does not belong" in current_key_problem()


def test_a_start_says_that_the_key_does_not_open(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L6: web and worker log it, `migrate` warns; both work without a database."""
    monkeypatch.setattr(startup.connection, "close", lambda: None)  # the test's transaction goes on
    active_key()
    startup.log_signing_problem()
    assert not caplog.records
    assert startup.signing_key_opens(databases=["default"]) == []
    settings.KEY_ENCRYPTION_KEY = Fernet.generate_key().decode()
    startup.log_signing_problem()
    (record,) = caplog.records
    assert (record.levelname, "does not open the signing key" in record.message) == ("CRITICAL", True)
    assert [warning.id for warning in startup.signing_key_opens(databases=["default"])] == ["mxportal.W001"]
    assert startup.signing_key_opens(databases=None) == []


def test_a_start_without_a_database(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L6: another check reports the missing database."""

    def unreachable() -> str:
        raise OperationalError

    monkeypatch.setattr(startup.connection, "close", lambda: None)
    monkeypatch.setattr(startup, "current_key_problem", unreachable)
    startup.log_signing_problem()
    assert "The signing key was not checked: OperationalError" in caplog.text
    assert startup.signing_key_opens(databases=["default"]) == []


def test_there_is_one_active_key() -> None:
    """L6: the database refuses a second one."""
    key = active_key()
    key.pk, key.key_id = None, "another"
    key._state.adding = True
    with as_owner(), pytest.raises(IntegrityError), transaction.atomic():
        key.save()


@pytest.mark.parametrize(
    "change", ["public_key = 'x'", "key_id = 'x'", "private_key = ''", "retired_at = CURRENT_TIMESTAMP"]
)
def test_what_a_key_is_never_changes(change: str) -> None:
    """L6: the public half never changes; an active key has a private half, a retired one has none."""
    active_key()
    with as_owner(), pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE entitlements_signingkey SET {change}")
