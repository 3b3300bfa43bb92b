"""The one way to write down data that is hashed or signed."""

import json
from typing import Any


def canonical_json(data: dict[str, Any]) -> bytes:
    """RFC 8785 for what we sign: objects with ASCII keys, lists, strings and integers."""
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
