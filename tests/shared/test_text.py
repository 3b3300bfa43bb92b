"""What names may be made of: in any script, nothing unseen, and no letters that pass for others."""

import pytest
from django.core.exceptions import ValidationError

from mxportal.shared.text import lines_of_what_is_seen, only_what_is_seen

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "name",
    [
        "City Hospital",
        "Ärzte & Söhne GmbH, Zürich",
        "Москва Ltd",
        "Αθήνα Hotel",
        "株式会社ABC東京タワー",
        "서울 병원",
        "مستشفى المدينة",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with its non-joiner
        "\u0936\u094d\u200d\u0930\u0940",  # Hindi, with a joiner
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala
        "O'Neill–Straße 5/2",
        "Jose\u0301",
        "₂O µm ½ №5",
    ],
)
def test_names_of_all_scripts_pass(name: str) -> None:
    """A3, U1."""
    only_what_is_seen(name)


@pytest.mark.parametrize(
    "unseen",
    [
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u3164", "\u115f", "\uffa0"),
        *("\u202e", "\u202a", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c", "\u2800", "\ufe0f"),
        *("\U000e0041", "\ue000", "\u2028", "\u2029", "\x00", "\x1b", "\x7f", "\x85"),
    ],
)
def test_what_nobody_sees_is_refused(unseen: str) -> None:
    """A zero-width character makes another name that looks the same; an override turns the rest round."""
    with pytest.raises(ValidationError) as refused:
        only_what_is_seen(f"City{unseen}Hospital")
    assert refused.value.code == "control_characters"


@pytest.mark.parametrize("name", ["Сity Hospital", "Сompany", "pаypаl AG", "Βerlin", "Ｃіty"])
def test_look_alikes_are_refused(name: str) -> None:
    """Latin beside Cyrillic or Greek in one word."""
    with pytest.raises(ValidationError) as refused:
        only_what_is_seen(name)
    assert refused.value.code == "mixed_alphabets"


def test_several_lines() -> None:
    """Notes have them."""
    lines_of_what_is_seen("one\ntwo\r\nthree")
    with pytest.raises(ValidationError):
        lines_of_what_is_seen("one\ntw\u200bo")
