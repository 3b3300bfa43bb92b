"""A movement as a leaf: a commitment for each field, so that some can be shown and the others stay hidden.

A field's salt follows from the leaf's, and its commitment is SHA-256(field's salt + value). Whoever gets salt and value
can check the field; the other commitments tell nothing without their salts.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from entitlements.ledger.sealing.merkle import leaf_hash
from mxportal.shared.canonical import canonical_json

SALT_BYTES = 32


def new_salt() -> bytes:
    """As long as a hash, from the CSPRNG."""
    return secrets.token_bytes(SALT_BYTES)


def item_token(verification_code: str | None) -> str:
    """What stands for a line item in the tree: follows from its certificate's code, and does not lead back to it."""
    return hashlib.sha256(f"item/{verification_code}".encode()).hexdigest() if verification_code else ""


def time_text(moment: datetime) -> str:
    """To the microsecond, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class SealedFields:
    """What a leaf is about; each field is a text with a commitment of its own.

    ``parent``, ``activation`` and ``actor`` are "" where there is none.
    """

    movement: str
    kind: str
    item: str
    parent: str
    copies: str
    product: str
    activation: str
    actor: str
    reason: str
    time: str

    def leaf_hash(self, salt: bytes) -> bytes:
        """The hash of the leaf with that salt."""
        return leaf_hash(canonical_json(self.commitments(salt)))

    def commitments(self, salt: bytes) -> dict[str, str]:
        """The leaf's data: the commitment to each field."""
        return {name: commitment(field_salt(salt, name), value) for name, value in vars(self).items()}


def field_salt(salt: bytes, name: str) -> bytes:
    """Tells nothing about the leaf's salt, nor about another field's."""
    return hmac.digest(salt, name.encode(), "sha256")


def commitment(salt: bytes, value: str) -> str:
    """What stands in the leaf for a value; ``salt`` is the field's."""
    return hashlib.sha256(salt + value.encode()).hexdigest()
