"""What a reader can do with a line item: one table for the menus of the list, of an item and of an entitlement."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import Permission
from entitlements.items.predicates import (
    is_party,
    may_activate,
    may_correct,
    may_hand_back,
    may_hand_on,
    may_replace,
    may_split,
    may_undo,
)
from entitlements.models import LineItem, State


@dataclass(frozen=True)
class Action:
    """One entry of a menu. ``permission`` says which roles have it, ``fits`` for which items right now.

    ``step`` names it in the address of the list's menus; without one, the list does not offer it.
    """

    step: str
    route: str
    label: str | Promise
    icon: str
    permission: Permission
    fits: Callable[[User, LineItem], bool]
    new_window: bool = False
    takes_several: bool = False

    def is_offered(self, actor: User, item: LineItem) -> bool:
        """Return whether this person can do it with this item right now."""
        return actor.may(self.permission) and self.fits(actor, item)

    def url(self, items: Sequence[int]) -> str:
        """Return where it leads for the items with these primary keys: one, unless it takes several."""
        if self.takes_several:
            return reverse(self.route, query={"item": items})
        return reverse(self.route, args=items)


def _splits(actor: User, item: LineItem) -> bool:
    return _has_copies(item) and may_split(actor, item)


def _activates(actor: User, item: LineItem) -> bool:
    return _has_copies(item) and may_activate(actor, item)


def _has_copies(item: LineItem) -> bool:
    return item.is_usable and item.available > 0


def _undoes(actor: User, item: LineItem) -> bool:
    return _can_shrink(item) and may_undo(actor, item)


def _hands_back(actor: User, item: LineItem) -> bool:
    return _can_shrink(item) and not may_undo(actor, item) and may_hand_back(actor, item)


def _can_shrink(item: LineItem) -> bool:
    return item.available > 0 and item.state != State.OBSOLETE


def _replaces(actor: User, item: LineItem) -> bool:
    return _was_deployed(item) and may_replace(actor, item)


def _certifies(actor: User, item: LineItem) -> bool:
    return _was_deployed(item) and is_party(actor, item)


def _was_deployed(item: LineItem) -> bool:
    return item.state not in (State.DRAFT, State.OBSOLETE)


def _changes_state(_actor: User, item: LineItem) -> bool:
    return item.state != State.OBSOLETE


def _corrects(_actor: User, item: LineItem) -> bool:
    return may_correct(item)


def _emails(actor: User, item: LineItem) -> bool:
    return item.is_usable and may_hand_on(actor, item)


def _always(_actor: User, _item: LineItem) -> bool:
    return True


_SPLIT, _ACTIVATE, _UNDO = Permission.SPLIT, Permission.ACTIVATE, Permission.UNDO_SPLIT
EMAIL = Action("email", "line_item_email", _("Email"), "mail", Permission.SEND_MAIL, _emails)
CERTIFICATE = Action(
    "certificate",
    "line_item_certificate",
    _("View Certificate"),
    "certificate",
    Permission.VIEW,
    _certifies,
    new_window=True,
)
# The two menus of the seed's manual (E3, E5, E6, E8, E9, E10, E13, E15, L2).
CHANGES = (
    Action("split", "line_item_split", _("Split"), "split", _SPLIT, _splits),
    Action("bulk", "bulk_split_create", _("Bulk split"), "users", _SPLIT, _splits, takes_several=True),
    Action("activate", "line_item_activate", _("Activate"), "device", _ACTIVATE, _activates),
    Action(
        "activate-many",
        "line_item_activate_many",
        _("Activate many devices"),
        "copy",
        _ACTIVATE,
        _activates,
    ),
    Action("undo", "line_item_undo", _("Undo split"), "undo", _UNDO, _undoes),
    Action("", "line_item_undo", _("Hand copies back"), "undo", _UNDO, _hands_back),
    Action(
        "replace",
        "line_item_replace",
        _("Replace Activation ID"),
        "key",
        Permission.REPLACE_IDS,
        _replaces,
    ),
    Action("state", "line_item_state", _("Change state"), "edit", Permission.CHANGE_STATES, _changes_state),
    Action(
        "quantity",
        "line_item_quantity",
        _("Change quantity"),
        "edit",
        Permission.CORRECT_QUANTITIES,
        _corrects,
    ),
)
VIEWS = (
    EMAIL,
    CERTIFICATE,
    Action("history", "line_item_history", _("History"), "history", Permission.VIEW, _always),
)
ACTIONS_BY_STEP = {action.step: action for action in CHANGES + VIEWS if action.step}


@dataclass(frozen=True)
class MenuEntry:
    """An action with its address."""

    label: str | Promise
    icon: str
    url: str
    new_window: bool


@dataclass(frozen=True)
class ItemMenu:
    """One of the two menus, with a class of Bootstrap for its look."""

    label: str | Promise
    look: str
    entries: list[MenuEntry]


def menus_of_list(actor: User) -> list[ItemMenu]:
    """Return the menus above a list: what the reader's role may do; the item is ticked later."""
    return _menus(
        lambda action: bool(action.step) and actor.may(action.permission),
        lambda action: reverse("line_item_go", args=[action.step]),
    )


def menus_of_item(actor: User, item: LineItem) -> list[ItemMenu]:
    """Return the menus of one item: what the reader can do with it right now."""
    return _menus(lambda action: action.is_offered(actor, item), lambda action: action.url([item.pk]))


def _menus(offers: Callable[[Action], bool], url: Callable[[Action], str]) -> list[ItemMenu]:
    def entries(actions: Iterable[Action]) -> list[MenuEntry]:
        return [MenuEntry(a.label, a.icon, url(a), a.new_window) for a in actions if offers(a)]

    menus = (
        ItemMenu(_("Action"), "btn-primary", entries(CHANGES)),
        ItemMenu(_("View"), "btn-outline-secondary", entries(VIEWS)),
    )
    return [menu for menu in menus if menu.entries]
