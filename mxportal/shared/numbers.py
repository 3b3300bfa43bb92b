"""Numbers that come from outside, where anybody may have changed them."""


def typed_number(text: str, *, digits: int = 18) -> int | None:
    """A whole number of ASCII digits, no longer than ``digits`` (18 fit any column); None for everything else.

    Python refuses to read some thousand digits, and counts other scripts' digits as well.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def refuse_number(written: str) -> None:
    """For ``json.loads``: numbers that JSON does not know, or that have no place in it. Raises ValueError."""
    raise ValueError(f"{written} has no place here")
