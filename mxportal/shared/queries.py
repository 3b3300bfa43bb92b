"""Reading and locking rows."""

from collections.abc import Iterable
from typing import Self, TypeVar

from django.db import models

Row = TypeVar("Row")
M = TypeVar("M", bound=models.Model)


class LockingQuerySet(models.QuerySet[M]):
    """Rows that services lock before they change them."""

    def for_update(self, *, skip_locked: bool = False) -> Self:
        """Lock these rows, and none of the rows joined to them.

        NO KEY: rows that refer to a locked row can still be added.
        """
        return self.select_for_update(no_key=True, of=("self",), skip_locked=skip_locked)


def one_or_none(rows: Iterable[Row]) -> Row | None:
    """Return the row of a look-up that can find no more than one, or None.

    ``first()`` is for where there may be several: it sorts, and of a look-up by a unique column working out how to sort
    is the dearest part.
    """
    return next(iter(rows), None)
