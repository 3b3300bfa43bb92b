"""Reading rows."""

from collections.abc import Iterable
from typing import TypeVar

Row = TypeVar("Row")


def one_or_none(rows: Iterable[Row]) -> Row | None:
    """The row of a look-up that can find no more than one, or None.

    ``first()`` is for where there may be several: it sorts, and of a look-up by a unique column working out how to sort
    is the dearest part.
    """
    return next(iter(rows), None)
