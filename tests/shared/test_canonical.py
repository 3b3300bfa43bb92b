"""L5, E11: the bytes that are hashed and signed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxportal.shared.canonical import canonical_json

pytestmark = pytest.mark.once

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(max_codepoint=127))
NUMBERS = st.integers(min_value=-(2**63), max_value=2**64 - 1)
OBJECTS = st.dictionaries(
    NAMES,
    st.recursive(
        TEXTS | NUMBERS | st.none() | st.booleans(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
)


@pytest.mark.slow
@given(OBJECTS)
def test_it_is_what_the_standard_library_writes(data: dict[str, Any]) -> None:
    """The leaves that are sealed and the certificates that are out were written by ``json``: not a byte may differ."""
    plain = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_json(data) == plain.encode()


def test_the_text_of_the_standard() -> None:
    """RFC 8785, 3.2.2.2: what is escaped, and how."""
    text = '\u20ac$\u000f\nA\'B"\\\\"/'
    assert canonical_json({"string": text}) == '{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()


@pytest.mark.parametrize("value", [2**64, "\ud800", b"bytes", {1: "one"}, {"a set"}])
def test_what_json_has_no_form_for(value: Any) -> None:
    """It is refused, not written in some form."""
    with pytest.raises(TypeError):
        canonical_json({"value": value})
