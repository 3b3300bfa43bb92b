"""The canonical form of data that is hashed or signed."""

from typing import Any

import orjson


def canonical_json(data: dict[str, Any]) -> bytes:
    """Return RFC 8785 JSON of what we sign: objects with ASCII keys, lists, strings, None and integers of 64 bits.

    Raises TypeError for larger integers and for what has no form in JSON. Not for fractions: NaN would become null.
    """
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
