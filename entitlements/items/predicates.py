"""Which account may do what with a line item (E13). The stamp and the service check the role's permission besides."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from entitlements.models import LineItem, State


def is_party(actor: User, item: LineItem) -> bool:
    """Return whether the actor's account is owner, seller, serving account or MOBOTIX (E5).

    Parties read the Activation ID, the contact and the mails in full. The other accounts up the chain see the item, the
    last group of its ID, and its quantities. So does the seller of an End customer that MOBOTIX has transferred: the
    new seller may have the ID replaced (A7).
    """
    return actor.account.is_mobotix or actor.account_id in party_ids(item)


def party_ids(item: LineItem) -> tuple[int | None, ...]:
    """Return the ids of the accounts that are party to an item, without MOBOTIX."""
    return (item.owner_id, item.serving_account_id or item.seller_id)


def looks_after(actor: User, item: LineItem) -> bool:
    """Return whether the actor's account serves an End customer's item, or else sold it (E13, A7)."""
    return actor.account_id == (item.serving_account_id or item.seller_id)


def may_split(actor: User, item: LineItem) -> bool:
    """Return whether the actor's account owns the item (E6)."""
    return item.owner_id == actor.account_id


def may_hand_on(actor: User, item: LineItem) -> bool:
    """Return whether the actor may e-mail the item and its certificate (E9, E13).

    Who sold or serves the item may, and MOBOTIX.
    """
    return actor.account.is_mobotix or looks_after(actor, item)


def may_replace(actor: User, item: LineItem) -> bool:
    """Return whether the actor may replace the Activation ID (E5).

    The rule is the same as in ``may_hand_on``: the owner, who got the ID, may not.
    """
    return may_hand_on(actor, item)


def may_undo(actor: User, item: LineItem) -> bool:
    """Return whether the actor may undo the split: the seller for UNDO_DAYS, then only MOBOTIX (E8).

    An issued item was not split from another one, so it has no undo.
    """
    if item.parent_id is None:
        return False
    return actor.account.is_mobotix or (sells(actor, item) and not undo_is_over(item))


def sells(actor: User, item: LineItem) -> bool:
    """Return whether the actor's account sold the item and still looks after it (A7)."""
    return item.seller_id == actor.account_id and looks_after(actor, item)


def may_hand_back(actor: User, item: LineItem) -> bool:
    """Return whether the actor's account owns the split item; the buyer may hand copies back at any time (E8)."""
    return item.parent_id is not None and item.owner_id == actor.account_id


def undo_is_over(item: LineItem) -> bool:
    """Return whether the days in which the seller can take copies back have passed (E8)."""
    return undo_ends_at(item) < timezone.now()


def undo_ends_at(item: LineItem) -> datetime:
    """Return when the days in which the seller can take copies back end (E8)."""
    return item.created_at + timedelta(days=settings.UNDO_DAYS)


def needs_reason(actor: User, item: LineItem) -> bool:
    """Return whether MOBOTIX acts on an item that another account sold, which needs a reason (E13)."""
    return actor.account.is_mobotix and item.seller_id != actor.account_id


def may_activate(actor: User, item: LineItem) -> bool:
    """Return whether the actor's account owns or serves the item, or is MOBOTIX (E13)."""
    return actor.account.is_mobotix or actor.account_id in (item.owner_id, item.serving_account_id)


def may_correct(item: LineItem) -> bool:
    """Return whether the quantity can be lowered (copies are available) or raised (issued, not Obsolete) (E15)."""
    return item.available > 0 or (item.parent_id is None and item.state != State.OBSOLETE)
