"""The one way to write down data that is hashed or signed."""

import json
from typing import Any

# made once: json.dumps makes one at each call, which takes longer than a short text
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(data: dict[str, Any]) -> bytes:
    """RFC 8785 for what we sign: objects with ASCII keys, lists, strings and integers."""
    return _ENCODER.encode(data).encode()
