"""Numbers that come from outside, where anybody may have changed them."""

import re

from django.utils.formats import get_format

MOST_DIGITS = 18  # fit any column
LONGEST_AMOUNT = 40  # digits; whoever takes it says how many there can be


def typed_number(text: str, *, digits: int = MOST_DIGITS) -> int | None:
    """A whole number of ASCII digits, no longer than ``digits`` (18 fit any column); None for everything else.

    Python refuses to read some thousand digits, and counts other scripts' digits as well.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def read_amount(text: str) -> int | None:
    """E18: a whole number as it was typed, without separators or grouped by three with those of the active language.

    None for everything else: "2.000" is two thousand in German, and in English no amount at all.
    """
    text = text.strip()
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    separator = re.escape(str(get_format("THOUSAND_SEPARATOR")))
    if re.fullmatch(rf"[1-9][0-9]{{0,2}}({separator}[0-9]{{3}})+", digits):
        digits = re.sub(separator, "", digits)
    number = typed_number(digits, digits=LONGEST_AMOUNT)
    return None if number is None else sign * number


def plain_amount(text: str) -> str:
    """An amount that may be read later, in another language: without separators where it is one, or as it was typed."""
    number = read_amount(text)
    return text if number is None else str(number)


def refuse_number(written: str) -> None:
    """For ``json.loads``: numbers that JSON does not know, or that have no place in it. Raises ValueError."""
    raise ValueError(f"{written} has no place here")
