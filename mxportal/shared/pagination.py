"""Keyset pages: as quick at row 1,000,000 as at row 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db.models import BooleanField, F, Func, Model, QuerySet, Value
from django.http import HttpRequest

M = TypeVar("M", bound=Model)
COUNT_CAP = 1000


@dataclass(frozen=True)
class Page(Generic[M]):
    """The rows of one page and the addresses of its neighbours ("" where there is none)."""

    items: list[M]
    newer_url: str
    older_url: str


@dataclass(frozen=True)
class IndexedPart(Generic[M]):
    """A part of a list that an index serves in the list's order; its rows share the values of ``same``.

    A list whose condition is an OR is read in parts, each by its own index, and starts with the first rows of all of
    them.
    """

    queryset: QuerySet[M]
    same: Mapping[str, Any] = field(default_factory=dict)


def paginate(
    request: HttpRequest,
    queryset: QuerySet[M],
    *,
    order: Sequence[str],
    size: int = 0,
    parts: Sequence[IndexedPart[M]] = (),
) -> Page[M]:
    """One page of the rows in ``order``: columns of one direction that end with the primary key, as in ("-id",).

    ``?after=ID`` and ``?before=ID`` name the row that the page follows or precedes; its keys are looked up in the same
    queryset, so that an address tells no value and a row that is not visible is no anchor: it gives the first page.
    ``parts``, where given, contain together the rows of the queryset.
    """
    size = size or settings.PAGE_SIZE
    parts = parts or [IndexedPart(queryset)]
    after, before = (_anchor(request, queryset, order, side) for side in ("after", "before"))
    if before:
        rows = first_rows(parts, order=_reverse(order), size=size + 1, beyond=before)
        has_newer, has_older = len(rows) > size, True
        rows = rows[:size][::-1]
    else:
        rows = first_rows(parts, order=order, size=size + 1, beyond=after)
        has_newer, has_older = after is not None, len(rows) > size
        rows = rows[:size]
    return Page(
        items=rows,
        newer_url=_url(request, before=rows[0].pk) if rows and has_newer else "",
        older_url=_url(request, after=rows[-1].pk) if rows and has_older else "",
    )


def first_rows(
    parts: Sequence[IndexedPart[M]], *, order: Sequence[str], size: int, beyond: tuple[Any, ...] | None = None
) -> list[M]:
    """Return the first ``size`` rows of all parts, or those strictly beyond some values of ``order``.

    One query for each part.
    """
    found: dict[Any, M] = {}
    for part in parts:
        rows = part.queryset.filter(_beyond(order, beyond, part.same)) if beyond else part.queryset
        found.update({row.pk: row for row in rows.order_by(*order)[:size]})
    key = attrgetter(*[column.lstrip("-") for column in order])
    return sorted(found.values(), key=key, reverse=order[0].startswith("-"))[:size]


def capped_count(queryset: QuerySet[M], cap: int = COUNT_CAP) -> str:
    """The number of rows, counted no further than ``cap``: "17", "1,000+"."""
    return capped(queryset.order_by()[: cap + 1].count(), cap)


def capped(count: int, cap: int = COUNT_CAP) -> str:
    """A number that was counted no further than one beyond ``cap``, in words."""
    return f"{cap:,}+" if count > cap else f"{count:,}"


def _anchor(
    request: HttpRequest, queryset: QuerySet[M], order: Sequence[str], side: str
) -> tuple[Any, ...] | None:
    typed = request.GET.get(side, "")
    if not typed.isascii() or not typed.isdigit() or len(typed) > 18:
        return None
    return queryset.filter(pk=int(typed)).values_list(*[column.lstrip("-") for column in order]).first()


def _reverse(order: Sequence[str]) -> list[str]:
    return [column[1:] if column.startswith("-") else f"-{column}" for column in order]


def _beyond(order: Sequence[str], values: tuple[Any, ...], same: Mapping[str, Any]) -> Func:
    """Rows strictly beyond the values, as one comparison of rows: ``(owner_id, expires_on, id) > (…, …, …)``.

    An index serves it even where half a million rows share the first value ("permanent"); with AND and OR it does not.
    The values that the part's rows share come first: PostgreSQL estimates the whole by the first column alone.
    """
    keys = dict(zip([column.lstrip("-") for column in order], values, strict=True))
    if len(keys) > 1:
        keys = {**same, **keys}
    return Func(
        _row(*[F(name) for name in keys]),
        _row(*[Value(value) for value in keys.values()]),
        template="%(expressions)s",
        arg_joiner=" < " if order[0].startswith("-") else " > ",
        output_field=BooleanField(),
    )


def _row(*expressions: Any) -> Func:
    return Func(*expressions, template="(%(expressions)s)", output_field=BooleanField())


def _url(request: HttpRequest, **anchor: int) -> str:
    query = request.GET.copy()
    query.pop("after", None)
    query.pop("before", None)
    query.update({side: str(pk) for side, pk in anchor.items()})
    return f"?{query.urlencode()}"
