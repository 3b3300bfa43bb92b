"""The statement of a head of the tree, which is signed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from entitlements.ledger.sealing.commitments import time_text
from mxportal.shared.canonical import canonical_json


@dataclass(frozen=True)
class HeadStatement:
    """The statement that the tree had this root at this size.

    ``previous`` is the hash of the statement before, empty for the first one.
    """

    size: int
    root: bytes
    sealed_at: datetime
    previous: bytes
    key_id: str

    def data(self) -> dict[str, str | int]:
        """Return the statement as certificates show it."""
        return {
            "key": self.key_id,
            "previous": self.previous.hex(),
            "root": self.root.hex(),
            "size": self.size,
            "time": time_text(self.sealed_at),
        }

    def text(self) -> bytes:
        """Return the bytes that are signed."""
        return canonical_json(self.data())

    def hash(self) -> bytes:
        """Return the hash that the next head names as ``previous``."""
        return hashlib.sha256(self.text()).digest()
