"""Activation IDs: 27 random characters and a check character of Crockford's base32, in groups of four (E5)."""

import re
import secrets

from stdnum import luhn

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 27  # 135 bits
GROUP = 4
LENGTH = RANDOM_CHARACTERS + 1
MISREAD = str.maketrans("OIL", "011")
OWN_FORM = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")
BETWEEN_GROUPS = re.compile(r"[\s\-\u2010-\u2015]+")
DIGIT_RUNS = re.compile(r"\d+")
FEWEST_DIGIT_RUNS, FEWEST_GROUPS, LONGEST_GROUP = 2, 5, 6
TYPING_SLACK = 2  # characters too many or too few: still one of the portal's own IDs, with a typing error
LAST_GROUP = re.compile(rf"[{ALPHABET}]{{{GROUP}}}")


def new_activation_id() -> str:
    """Return a new ID in its canonical form: upper case, with dashes (E5)."""
    # 32 divides 256, so that every character is as likely as any other
    characters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(RANDOM_CHARACTERS))
    return group(characters + luhn.calc_check_digit(characters, ALPHABET))


def group(characters: str) -> str:
    """Return 28 characters as seven groups of four, with dashes between them."""
    return "-".join(characters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def bare(typed: str) -> str:
    """Return the letters and digits of the typed text in upper case, with O, I and L read as digits."""
    return re.sub(r"[\W_]", "", typed).upper().translate(MISREAD)


def looks_like_activation_id(typed: str, *, slack: int = 0) -> bool:
    """Return whether a text is meant as an Activation ID, correct or mistyped (E5).

    Such a text has an ID's length, give or take ``slack`` characters, is in short groups or in one piece, and has
    digits in at least two places. A name does not qualify, even with a year in it, nor does an e-mail address.
    """
    if abs(len(bare(typed)) - LENGTH) > slack or "@" in typed:
        return False
    # in the text as typed: with O, I and L read as digits, a long word would look like an ID
    if len(DIGIT_RUNS.findall(typed)) < FEWEST_DIGIT_RUNS:
        return False
    groups = BETWEEN_GROUPS.split(typed.strip())
    return len(groups) == 1 or (len(groups) >= FEWEST_GROUPS and max(map(len, groups)) <= LONGEST_GROUP)


def canonical(typed: str) -> str | None:
    """Return the canonical form of the typed ID, or None where a character is wrong; no look-up is needed for it."""
    characters = bare(typed)
    if not OWN_FORM.fullmatch(characters) or not luhn.is_valid(characters, ALPHABET):
        return None
    return group(characters)


def is_mistyped(typed: str) -> bool:
    """Return whether a text is meant as one of the portal's own IDs and has a typing error; no look-up is needed."""
    return canonical(typed) is None and looks_like_activation_id(typed, slack=TYPING_SLACK)


def lookup_form(typed: str) -> str | None:
    """Return the form in which an ID is looked up (E5).

    An ID of the portal is looked up in its canonical form, one from an old system as typed. None where the text is a
    mistyped ID of the portal.
    """
    return canonical(typed) or (None if is_mistyped(typed) else typed)


def last_group_typed(typed: str) -> str | None:
    """Return the last group of an ID from the typed text, or None where the text cannot be one."""
    characters = bare(typed)
    return characters if LAST_GROUP.fullmatch(characters) else None
