"""E5: Activation IDs: 27 random characters and a check character of Crockford's base32, in groups of four."""

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
NEARLY = 2  # characters too many or too few: still an ID of ours with a typing error
LAST_GROUP = re.compile(rf"[{ALPHABET}]{{{GROUP}}}")


def new_activation_id() -> str:
    """A new ID in its canonical form: upper case, with dashes."""
    # 32 divides 256, so that every character is as likely as any other
    characters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(RANDOM_CHARACTERS))
    return group(characters + luhn.calc_check_digit(characters, ALPHABET))


def group(characters: str) -> str:
    """28 characters as seven groups of four."""
    return "-".join(characters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def bare(typed: str) -> str:
    """The letters and digits of what was typed, in upper case, with O, I and L read as digits."""
    return re.sub(r"[\W_]", "", typed).upper().translate(MISREAD)


def looks_like_activation_id(typed: str, *, slack: int = 0) -> bool:
    """Whether a text is meant as an ID, right or mistyped: its length but for ``slack`` characters, in short groups or
    in one piece, with digits in more places than one. A name is none, even with a year in it, nor is an e-mail address.
    """
    if abs(len(bare(typed)) - LENGTH) > slack or "@" in typed:
        return False
    # as typed: read as digits, the O, I and L of a long word would make an ID of it
    if len(DIGIT_RUNS.findall(typed)) < FEWEST_DIGIT_RUNS:
        return False
    groups = BETWEEN_GROUPS.split(typed.strip())
    return len(groups) == 1 or (len(groups) >= FEWEST_GROUPS and max(map(len, groups)) <= LONGEST_GROUP)


def canonical(typed: str) -> str | None:
    """The canonical form of what was typed, or None where a character is wrong (no look-up is needed then)."""
    characters = bare(typed)
    if not OWN_FORM.fullmatch(characters) or not luhn.is_valid(characters, ALPHABET):
        return None
    return group(characters)


def is_mistyped(typed: str) -> bool:
    """Whether a text was meant as an ID of ours and has a typing error. No look-up is needed."""
    return canonical(typed) is None and looks_like_activation_id(typed, slack=NEARLY)


def written(typed: str) -> str | None:
    """How an ID is looked up: ours in its canonical form, one taken over from an old system as typed; None where one
    of ours is mistyped.
    """
    return canonical(typed) or (None if is_mistyped(typed) else typed)


def last_group_typed(typed: str) -> str | None:
    """The last group that somebody typed, or None where the text cannot be one."""
    characters = bare(typed)
    return characters if LAST_GROUP.fullmatch(characters) else None
