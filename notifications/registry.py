"""Which function renders which kind of mail, and what people call it. The apps fill it from their modules `mails`."""

from collections.abc import Callable

from django.utils import translation
from django.utils.functional import Promise

from notifications.messages import Message
from notifications.models import Mail

Renderer = Callable[[Mail], Message | None]

_renderers: dict[str, Renderer] = {}
_labels: dict[str, str | Promise] = {}


def renders(kind: str, label: str | Promise) -> Callable[[Renderer], Renderer]:
    """Register the function that renders mails of this kind, and the words for it that lists show.

    It runs at delivery, outside any transaction and perhaps more than once; None says that the mail is
    not needed any more. It must not rely on what was true when the mail was queued.
    """

    def register(renderer: Renderer) -> Renderer:
        if _renderers.setdefault(kind, renderer) is not renderer:
            raise ValueError(f"Two functions render mails of the kind {kind!r}.")
        _labels[kind] = label
        return renderer

    return register


def kind_label(kind: str) -> str:
    """What people call this kind, in the language that is active."""
    return str(_labels.get(kind, kind))


def kinds() -> list[tuple[str, str]]:
    """Every kind with its label, by label."""
    return sorted(((kind, kind_label(kind)) for kind in _labels), key=lambda choice: choice[1].casefold())


def is_known(kind: str) -> bool:
    """Whether a function renders this kind."""
    return kind in _renderers


def render(mail: Mail) -> Message | None:
    """What the mail says, in its recipient's language (N3). LookupError where nobody renders its kind."""
    with translation.override(mail.language):
        return _renderers[mail.kind](mail)
