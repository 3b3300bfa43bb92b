"""Registered kinds of mails: the function that renders each, and its label. Apps fill it from their modules `mails`."""

from collections.abc import Callable

from django.utils import translation
from django.utils.functional import Promise

from notifications.messages import Message
from notifications.models import Mail

Renderer = Callable[[Mail], Message | None]

_renderers: dict[str, Renderer] = {}
_labels: dict[str, str | Promise] = {}


def renders(kind: str, label: str | Promise) -> Callable[[Renderer], Renderer]:
    """Register the function that renders mails of this kind, and the label that lists show.

    The function runs at delivery, outside any transaction and perhaps more than once; it returns None where the mail is
    not needed any more. It must not rely on what was true when the mail was queued.
    """

    def register(renderer: Renderer) -> Renderer:
        if _renderers.setdefault(kind, renderer) is not renderer:
            raise ValueError(f"Two functions render mails of the kind {kind!r}.")
        _labels[kind] = label
        return renderer

    return register


def kind_label(kind: str) -> str:
    """Return the label of a kind in the active language."""
    return str(_labels.get(kind, kind))


def kinds() -> list[tuple[str, str]]:
    """Return every kind with its label, ordered by label."""
    return sorted(((kind, kind_label(kind)) for kind in _labels), key=lambda choice: choice[1].casefold())


def is_known(kind: str) -> bool:
    """Return whether a function renders this kind."""
    return kind in _renderers


def render(mail: Mail) -> Message | None:
    """Return the mail's content in its recipient's language (N3), or None where it is not needed any more.

    Raises LookupError where no function renders its kind.
    """
    with translation.override(mail.language):
        return _renderers[mail.kind](mail)
