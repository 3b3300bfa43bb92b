"""Records of rows as leaves: one leaf commits to many records of a kind, each with its own salt.

A record is a row's facts as canonical JSON. Its hash is SHA-256(0x00 + its salt + record), and its salt is derived from
the leaf's salt and the row's number. The hashes are the leaves of a small tree (RFC 6962), and the leaf of the ledger's
tree contains that tree's root. So one record can be shown with its salt and a proof, and tells nothing about the
others.
"""

import json
import struct
from datetime import datetime
from typing import Any

from entitlements.ledger.sealing.commitments import field_salt, time_text
from entitlements.ledger.sealing.merkle import Frontier, leaf_hash
from mxportal.shared.canonical import canonical_json

RECORDS_FORMAT = "mx-ledger-records/1"
HASH_BYTES = 32


def record_text(facts: dict[str, Any]) -> bytes:
    """Return the bytes that are committed to; each fact is a text, "" where it is empty."""
    return canonical_json({name: _text(value) for name, value in facts.items()})


def record_hash(salt: bytes, kind: str, subject: int, text: bytes) -> bytes:
    """Return the hash of one record; ``salt`` is the leaf's, ``subject`` the number of the row."""
    return leaf_hash(field_salt(salt, f"{kind}/{subject}") + text)


def records_leaf_hash(kind: str, hashes: list[bytes]) -> bytes:
    """Return the hash of the leaf over records with these hashes.

    A movement's leaf never has these fields.
    """
    tree = Frontier()
    for one in hashes:
        tree.append(one)
    data = {"count": len(hashes), "format": RECORDS_FORMAT, "kind": kind, "root": tree.root().hex()}
    return leaf_hash(canonical_json(data))


def pack_numbers(numbers: list[int]) -> bytes:
    """Return the numbers as they are stored, eight bytes each."""
    return struct.pack(f">{len(numbers)}q", *numbers)


def unpack_numbers(packed: bytes) -> list[int]:
    """Return the numbers of ``pack_numbers``.

    Raises struct.error where bytes are missing.
    """
    return list(struct.unpack(f">{len(packed) // 8}q", packed))


def unpack_hashes(packed: bytes) -> list[bytes]:
    """Return the stored hashes, 32 bytes each."""
    return [packed[start : start + HASH_BYTES] for start in range(0, len(packed), HASH_BYTES)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return str(value)
