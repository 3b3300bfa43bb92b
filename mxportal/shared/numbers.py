"""Read numbers from outside, which anybody may have changed."""

import re

from django.utils.formats import get_format

MAX_DIGITS = 18  # fit any column
MAX_AMOUNT_DIGITS = 40  # digits; each field has its own limit


def typed_number(text: str, *, digits: int = MAX_DIGITS) -> int | None:
    """Return a whole number of ASCII digits, no longer than ``digits`` (18 fit any column); None for everything else.

    Python refuses to read some thousand digits, and accepts other scripts' digits.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def read_amount(text: str) -> int | None:
    """Return a whole number, typed without separators or grouped by three with those of the active language (E18).

    None for everything else: "2.000" is two thousand in German, and no amount in English.
    """
    text = text.strip()
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    separator = re.escape(str(get_format("THOUSAND_SEPARATOR")))
    if re.fullmatch(rf"[1-9][0-9]{{0,2}}({separator}[0-9]{{3}})+", digits):
        digits = re.sub(separator, "", digits)
    number = typed_number(digits, digits=MAX_AMOUNT_DIGITS)
    return None if number is None else sign * number


def plain_amount(text: str) -> str:
    """Return an amount without separators, to be read later in another language; other text as it was typed."""
    number = read_amount(text)
    return text if number is None else str(number)


def refuse_number(written: str) -> None:
    """Refuse numbers that JSON does not have, for ``json.loads``. Raises ValueError."""
    raise ValueError(f"{written} has no place here")
