"""A movement as a leaf: a commitment for each field, so that some can be shown while the others stay hidden.

A field's salt is derived from the leaf's salt, and its commitment is SHA-256(field's salt + value). A reader with salt
and value can check the field; the other commitments tell nothing without their salts.
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
    """Return random bytes of a hash's length, from the CSPRNG."""
    return secrets.token_bytes(SALT_BYTES)


def item_token(verification_code: str | None) -> str:
    """Return the text for a line item in the tree.

    It is derived from its certificate's code, and does not lead back to the code.
    """
    return hashlib.sha256(f"item/{verification_code}".encode()).hexdigest() if verification_code else ""


def time_text(moment: datetime) -> str:
    """Return the moment in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class SealedFields:
    """The fields of a leaf about a movement, each a text with its own commitment.

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
        """Return the hash of the leaf with this salt."""
        return leaf_hash(canonical_json(self.commitments(salt)))

    def commitments(self, salt: bytes) -> dict[str, str]:
        """Return the leaf's data: the commitment to each field."""
        return {name: commitment(field_salt(salt, name), value) for name, value in vars(self).items()}


def field_salt(salt: bytes, name: str) -> bytes:
    """Return the salt of a field, which tells nothing about the leaf's salt or another field's."""
    return hmac.digest(salt, name.encode(), "sha256")


def commitment(salt: bytes, value: str) -> str:
    """Return the commitment to a value in the leaf; ``salt`` is the field's."""
    return hashlib.sha256(salt + value.encode()).hexdigest()
