"""Keyset pages: as quick at row 1,000,000 as at row 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

M = TypeVar("M", bound=Model)
COUNT_CAP = 1000


@dataclass(frozen=True)
class Page(Generic[M]):
    """The rows of one page and the addresses of its neighbours ("" where there is none)."""

    items: list[M]
    newer_url: str
    older_url: str


def paginate(request: HttpRequest, queryset: QuerySet[M], *, order: Sequence[str], size: int = 0) -> Page[M]:
    """One page of the rows in ``order``: columns of one direction that end with the primary key, as in ("-id",).

    ``?after=ID`` and ``?before=ID`` name the row that the page follows or precedes; its keys are looked up in the same
    queryset, so that an address tells no value and a row that is not visible is no anchor: it gives the first page.
    """
    size = size or settings.PAGE_SIZE
    after, before = (_anchor(request, queryset, order, side) for side in ("after", "before"))
    if before:
        rows = list(queryset.filter(_beyond(_reverse(order), before)).order_by(*_reverse(order))[: size + 1])
        has_newer, has_older = len(rows) > size, True
        rows = rows[:size][::-1]
    else:
        start = queryset.filter(_beyond(order, after)) if after else queryset
        rows = list(start.order_by(*order)[: size + 1])
        has_newer, has_older = after is not None, len(rows) > size
        rows = rows[:size]
    return Page(
        items=rows,
        newer_url=_url(request, before=rows[0].pk) if rows and has_newer else "",
        older_url=_url(request, after=rows[-1].pk) if rows and has_older else "",
    )


def capped_count(queryset: QuerySet[M], cap: int = COUNT_CAP) -> str:
    """The number of rows, counted no further than ``cap``: "17", "1,000+"."""
    count = queryset.order_by()[: cap + 1].count()
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


def _beyond(order: Sequence[str], values: tuple[Any, ...]) -> Q:
    """Rows strictly beyond the values. The first column's own bound lets an index serve the rest."""
    first, *rest = order
    name, operator = first.lstrip("-"), "lt" if first.startswith("-") else "gt"
    if not rest:
        return Q(**{f"{name}__{operator}": values[0]})
    tied = Q(**{name: values[0]}) & _beyond(rest, values[1:])
    return Q(**{f"{name}__{operator}e": values[0]}) & (Q(**{f"{name}__{operator}": values[0]}) | tied)


def _url(request: HttpRequest, **anchor: int) -> str:
    query = request.GET.copy()
    query.pop("after", None)
    query.pop("before", None)
    query.update({side: str(pk) for side, pk in anchor.items()})
    return f"?{query.urlencode()}"
