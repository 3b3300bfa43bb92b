"""Showing some fields of a leaf, with the proof that the leaf is in the tree."""

from typing import Any

from entitlements.ledger.sealing.commitments import SealedFields, commitment, field_salt
from entitlements.ledger.sealing.merkle import leaf_hash, root_of_proof
from mxportal.shared.canonical import canonical_json

NAMES = frozenset(SealedFields.__dataclass_fields__)


def disclose(fields: SealedFields, salt: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields of these names with their salts; of the others, the commitments only."""
    commitments = fields.commitments(salt)
    return {
        "shown": {
            name: {"salt": field_salt(salt, name).hex(), "value": getattr(fields, name)} for name in names
        },
        "hidden": {name: value for name, value in commitments.items() if name not in names},
    }


def shown_values(entry: dict[str, Any]) -> dict[str, str]:
    """The values that an entry shows."""
    return {name: field["value"] for name, field in entry["shown"].items()}


def root_of_entry(entry: dict[str, Any], size: int) -> bytes | None:
    """The root that what is shown, what is hidden and the proof lead to; None where they are no leaf of such a tree."""
    shown = {
        name: commitment(bytes.fromhex(field["salt"]), field["value"])
        for name, field in entry["shown"].items()
    }
    if shown.keys() & entry["hidden"].keys() or shown.keys() | entry["hidden"].keys() != NAMES:
        return None
    leaf = leaf_hash(canonical_json(shown | entry["hidden"]))
    return root_of_proof(entry["leaf"], size, leaf, [bytes.fromhex(step) for step in entry["proof"]])
