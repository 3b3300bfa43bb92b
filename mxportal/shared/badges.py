"""The badges of states: each app registers words and look of its own states, as it registers its checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Look = Literal["draft", "deployed", "inactive", "obsolete", "expired"]


@dataclass(frozen=True)
class Badge:
    """The label of a badge and its look, for which static/css has a class."""

    label: str | Promise
    look: Look


_badges: dict[str, Badge] = {"expired": Badge(_("Expired"), "expired")}


def register_badge(state: str, label: str | Promise, look: Look) -> None:
    """Show this state with this label and look. Call it in ``ready`` of the app."""
    _badges[state] = Badge(label, look)


def register_choices(looks: Mapping[TextChoices, Look]) -> None:
    """Show these choices with their own labels. Call it in ``ready`` of the app."""
    for choice, look in looks.items():
        register_badge(choice.value, choice.label, look)


def badge_of(state: str) -> Badge:
    """Return the badge of a state; a state that nobody registered shows its name."""
    return _badges.get(state) or Badge(state.title(), "draft")
