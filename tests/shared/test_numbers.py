"""Numbers from outside."""

import pytest

from mxportal.shared.numbers import typed_number

pytestmark = pytest.mark.once


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_a_number(text: str, number: int) -> None:
    assert typed_number(text) == number


@pytest.mark.parametrize("text", ["", " 1", "-1", "+1", "1.0", "1_0", "²", "١", "x", "9" * 19, "9" * 5000])
def test_no_number(text: str) -> None:
    """What Python would read, or choke on, and a column would not take."""
    assert typed_number(text) is None


def test_fewer_digits() -> None:
    """As few as the caller says."""
    assert (typed_number("999", digits=3), typed_number("1000", digits=3)) == (999, None)
