"""One page of the portal as somebody sees it."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

NOBODY = "nobody"


@dataclass(frozen=True, eq=False)
class Visit:
    """A page: `post` is what is sent from the page at `path` (to `action`, where that is another one)."""

    reader: str
    route: str
    path: str
    post: dict[str, Any] | None = None
    status: int = 200
    action: str = ""

    def __str__(self) -> str:
        sent = " (sent)" if self.post is not None else ""
        return f"{self.reader}: {self.path}{sent}"


def page(
    reader: str, route: str, *args: Any, query: dict[str, Any] | None = None, status: int = 200
) -> Visit:
    """A page that is opened."""
    path = reverse(route, args=args)
    return Visit(reader, route, f"{path}?{urlencode(query)}" if query else path, status=status)


def sent(reader: str, route: str, *args: Any, **post: Any) -> Visit:
    """The page that answers to a form; without values every field is wrong that must be filled in."""
    return Visit(reader, route, reverse(route, args=args), post=post)
