"""Who and what most tests of entitlements begin with."""

import pytest

from tests.factories import Cast, Chain, make_cast, make_chain


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def chain(cast: Cast) -> Chain:
    """100 copies issued, 40 of them split to the installer, which has 35 left, and 5 of these to the end customer."""
    return make_chain(cast)
