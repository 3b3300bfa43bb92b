"""The form of Activation IDs (E5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from entitlements.identifiers import activation_ids
from entitlements.identifiers.activation_ids import (
    ALPHABET,
    DIGIT_RUNS,
    FEWEST_DIGIT_RUNS,
    canonical,
    group,
    last_group_typed,
    looks_like_activation_id,
)

pytestmark = pytest.mark.once


def test_new_id_has_seven_groups_of_four() -> None:
    """E5: 7 groups of 4 characters, the last of them a check character."""
    activation_id = activation_ids.new_activation_id()
    groups = activation_id.split("-")
    assert [len(part) for part in groups] == [4] * 7
    assert set("".join(groups)) <= set(ALPHABET)
    assert canonical(activation_id) == activation_id


@given(
    body=st.text(ALPHABET, min_size=27, max_size=27), position=st.integers(0, 27), shift=st.integers(1, 31)
)
def test_every_single_wrong_character_is_refused(body: str, position: int, shift: int) -> None:
    """E5: a typing error is found before any look-up. The IDs have digits, as nearly all do, so that they are
    no names.
    """
    characters = body + luhn.calc_check_digit(body, ALPHABET)
    wrong = ALPHABET[(ALPHABET.index(characters[position]) + shift) % len(ALPHABET)]
    mistyped = group(characters[:position] + wrong + characters[position + 1 :])
    assert canonical(mistyped) is None
    assert looks_like_activation_id(mistyped) or len(DIGIT_RUNS.findall(mistyped)) < FEWEST_DIGIT_RUNS


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda text: text.replace("-", ""),
        lambda text: text.replace("-", " "),
        lambda text: f"  {text} ",
        lambda text: text.replace("0", "O").replace("1", "I"),
        lambda text: text.replace("0", "o").replace("1", "l"),
        lambda text: text.replace("-", "–"),
    ],
)
def test_input_is_forgiving(change) -> None:  # type: ignore[no-untyped-def]
    """E5: case, spaces, dashes, O for 0, I and L for 1."""
    for _ in range(20):
        activation_id = activation_ids.new_activation_id()
        assert canonical(change(activation_id)) == activation_id


def test_ids_do_not_repeat_and_use_the_whole_alphabet() -> None:
    """E5: random from a CSPRNG; 2,000 IDs are all different and every character occurs in every random place."""
    ids = [activation_ids.bare(activation_ids.new_activation_id()) for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert all({text[place] for text in ids} == set(ALPHABET) for place in range(27))


@pytest.mark.parametrize(
    ("typed", "found"), [("7kq4", "7KQ4"), (" 7KQ4 ", "7KQ4"), ("7KQ", None), ("7KQ4X", None), ("7KQU", None)]
)
def test_last_group(typed: str, found: str | None) -> None:
    """E5: the last group may be typed for a search; U is not in Crockford's alphabet."""
    assert last_group_typed(typed) == found
