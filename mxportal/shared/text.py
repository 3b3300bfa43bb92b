"""Check that a line of text contains only what its reader sees (A3)."""

import re
import unicodedata
from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Controls, formats (zero width, direction), surrogates, private characters, line and paragraph breaks
UNSEEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Letters and marks that show nothing either: fillers, selectors of variants, the blank of Braille
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")
# Zero-width joiner and non-joiner, which these scripts cannot be spelled without
JOINERS = {"\u200c", "\u200d"}
JOINED_SCRIPTS = {
    "ARABIC",
    "BENGALI",
    "DEVANAGARI",
    "GUJARATI",
    "GURMUKHI",
    "KANNADA",
    "KHMER",
    "MALAYALAM",
    "MYANMAR",
    "ORIYA",
    "SINHALA",
    "SYRIAC",
    "TAMIL",
    "TELUGU",
}
# Alphabets with letters that look like those of another
LOOK_ALIKES = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"}
WORD = re.compile(r"[^\W\d_]+")


def only_what_is_seen(text: str) -> None:
    """Refuse unseen characters, characters that turn others round, several lines, and words that mix alphabets.

    Any script is allowed; only the letters of two alphabets that look alike must not be mixed within a word.
    """
    if text.isascii() and text.isprintable():
        return
    if any(_is_unseen(text, place) for place in range(len(text))):
        sentence = _("Use one line without control characters or other invisible characters.")
        raise ValidationError(sentence, code="control_characters")
    for word in WORD.findall(text):
        if len(LOOK_ALIKES & set(_scripts(word))) > 1:
            sentence = _(
                "The word “%(word)s” mixes letters of two alphabets that look alike. Type it in one alphabet."
            )
            raise ValidationError(sentence, code="mixed_alphabets", params={"word": word})


def lines_of_what_is_seen(text: str) -> None:
    """Check several lines in the same way."""
    for line in text.splitlines():
        only_what_is_seen(line)


def _is_unseen(text: str, place: int) -> bool:
    character = text[place]
    if character in JOINERS:
        return not place or _script(text[place - 1]) not in JOINED_SCRIPTS
    return unicodedata.category(character) in UNSEEN_CATEGORIES or bool(UNSEEN.match(character))


def _scripts(word: str) -> Iterator[str]:
    return (_script(character) for character in word)


def _script(character: str) -> str:
    """Return the first word of the character's name, which is its script; a wide form counts as its letter."""
    return unicodedata.name(character, "").removeprefix("FULLWIDTH ").partition(" ")[0]
