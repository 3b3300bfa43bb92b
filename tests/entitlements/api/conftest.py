"""The standing cast, and what was sold down its chain."""

import pytest

from tests.factories import Cast, Chain, make_cast, make_chain


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def chain(cast: Cast) -> Chain:
    return make_chain(cast)
