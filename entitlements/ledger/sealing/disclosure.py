"""Disclosure of some fields of a leaf, with the proof that the leaf is in the tree."""

from typing import Any

from entitlements.ledger.sealing.commitments import SealedFields, commitment, field_salt
from entitlements.ledger.sealing.merkle import leaf_hash, root_of_proof
from mxportal.shared.canonical import canonical_json

FIELD_NAMES = frozenset(SealedFields.__dataclass_fields__)


def disclose(fields: SealedFields, salt: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the named fields with their salts, and only the commitments of the others."""
    commitments = fields.commitments(salt)
    return {
        "shown": {
            name: {"salt": field_salt(salt, name).hex(), "value": getattr(fields, name)} for name in names
        },
        "hidden": {name: value for name, value in commitments.items() if name not in names},
    }


def shown_values(entry: dict[str, Any]) -> dict[str, str]:
    """Return the values that an entry shows, by field."""
    return {name: field["value"] for name, field in entry["shown"].items()}


def root_of_entry(entry: dict[str, Any], size: int) -> bytes | None:
    """Return the root that follows from an entry's shown and hidden fields and its proof.

    None where the entry cannot be a leaf of a tree of this size.
    """
    shown = {
        name: commitment(bytes.fromhex(field["salt"]), field["value"])
        for name, field in entry["shown"].items()
    }
    if shown.keys() & entry["hidden"].keys() or shown.keys() | entry["hidden"].keys() != FIELD_NAMES:
        return None
    leaf = leaf_hash(canonical_json(shown | entry["hidden"]))
    return root_of_proof(entry["leaf"], size, leaf, [bytes.fromhex(step) for step in entry["proof"]])
