"""The statement that a head of the tree makes, and that is signed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from entitlements.ledger.sealing.commitments import time_text
from mxportal.shared.canonical import canonical_json


@dataclass(frozen=True)
class HeadStatement:
    """The tree had this root at this size. ``previous`` is the hash of the statement before, empty at the first."""

    size: int
    root: bytes
    sealed_at: datetime
    previous: bytes
    key_id: str

    def data(self) -> dict[str, str | int]:
        """As certificates show it."""
        return {
            "key": self.key_id,
            "previous": self.previous.hex(),
            "root": self.root.hex(),
            "size": self.size,
            "time": time_text(self.sealed_at),
        }

    def text(self) -> bytes:
        """What is signed."""
        return canonical_json(self.data())

    def hash(self) -> bytes:
        """What the next head calls the previous one."""
        return hashlib.sha256(self.text()).digest()
