"""The entries of the main menu: each app registers its own, as it registers its checks."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Link:
    """A link and the permission that shows it. ``pages``: further routes on which it is the current one."""

    route: str
    label: str | Promise
    permission: str = "view"
    pages: tuple[str, ...] = ()

    def is_current(self, route: str) -> bool:
        """Return whether the page with this route is the link's own."""
        return route == self.route or route in self.pages


@dataclass(frozen=True)
class Menu:
    """A drop-down of links. A route belongs to it if it begins with one of ``prefixes`` and with none of ``others``."""

    label: str | Promise
    links: tuple[Link, ...]
    prefixes: tuple[str, ...]
    others: tuple[str, ...] = ()

    def is_current(self, route: str) -> bool:
        """Return whether the page with this route belongs to the menu."""
        return route.startswith(self.prefixes) and not route.startswith(self.others)


Entry = Link | Menu
_entries: list[tuple[int, Entry]] = []


def register_entry(entry: Entry, *, order: int) -> None:
    """Show this entry in the main menu; the lowest order comes first. Call it in ``ready`` of the app."""
    _entries.append((order, entry))


def registered_entries() -> Iterator[Entry]:
    """Return every entry of every app, in order."""
    for _order, entry in sorted(_entries, key=lambda registered: registered[0]):
        yield entry
