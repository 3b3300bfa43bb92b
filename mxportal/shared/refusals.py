"""Refusals with a code for programs; docs/api.md lists the codes, which never change (P5)."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

INVALID = "invalid"
Found = dict[str, list[tuple[str, str]]]


def refusal(code: str, what: Any) -> ValidationError:
    """Return a ValidationError with a code. ``what`` is a sentence, several, or a dict of them by field."""
    if isinstance(what, dict):
        return ValidationError({field: refusal(code, sentences) for field, sentences in what.items()})
    if isinstance(what, list):
        return ValidationError([refusal(code, sentence) for sentence in what])
    return ValidationError(what, code=code)


class Coded(str):
    """A sentence with the code of its refusal, where errors are kept as plain texts."""

    code: str

    def __new__(cls, code: str, sentence: str) -> "Coded":
        """Make a str of the sentence with its code."""
        made = super().__new__(cls, sentence)
        made.code = code
        return made


def coded(error: ValidationError) -> Coded:
    """Return the first sentence of an error, with its code."""
    code, sentence = next(pair for pairs in coded_by_field(error).values() for pair in pairs)
    return Coded(code, sentence)


def coded_by_field(error: ValidationError) -> Found:
    """Return codes and sentences of an error by field, those without a field under NON_FIELD_ERRORS."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    return {
        field: [found for one in errors for found in _coded_sentences(one)]
        for field, errors in by_field.items()
    }


def _coded_sentences(error: ValidationError) -> Iterator[tuple[str, str]]:
    for one in error.error_list:
        yield (one.code or INVALID).replace("_", "-"), one.messages[0]
