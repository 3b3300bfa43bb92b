"""E13: who may do what to one line item. The role is checked besides, by the permission's stamp and in the service."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from entitlements.models import LineItem, State


def is_party(actor: User, item: LineItem) -> bool:
    """Owner, seller, serving account or MOBOTIX: who reads the Activation ID, the contact and the mails in full (E5).

    The other accounts up the chain see that there is an item, its last group and its quantities; so does the seller
    whose End customer MOBOTIX has moved: the new one may have the ID replaced (A7).
    """
    return actor.account.is_mobotix or actor.account_id in party_ids(item)


def party_ids(item: LineItem) -> tuple[int | None, ...]:
    """The accounts that are party to an item, beside MOBOTIX."""
    return (item.owner_id, item.serving_account_id or item.seller_id)


def looks_after(actor: User, item: LineItem) -> bool:
    """E13, A7: an End customer's item: its serving account; any other: its seller."""
    return actor.account_id == (item.serving_account_id or item.seller_id)


def may_split(actor: User, item: LineItem) -> bool:
    """E6: the owner's admins."""
    return item.owner_id == actor.account_id


def may_hand_on(actor: User, item: LineItem) -> bool:
    """E-mail and certificate of what one sold or serves; MOBOTIX always."""
    return actor.account.is_mobotix or looks_after(actor, item)


def may_replace(actor: User, item: LineItem) -> bool:
    """E5: the same; not the owner, who got the ID."""
    return may_hand_on(actor, item)


def may_undo(actor: User, item: LineItem) -> bool:
    """E8: the seller for some days, then MOBOTIX alone. An issued item has nothing to go back to."""
    if item.parent_id is None:
        return False
    return actor.account.is_mobotix or (sells(actor, item) and not undo_is_over(item))


def sells(actor: User, item: LineItem) -> bool:
    """Whether it is the actor's account that sold the item and still looks after it (A7)."""
    return item.seller_id == actor.account_id and looks_after(actor, item)


def may_hand_back(actor: User, item: LineItem) -> bool:
    """E8: the buyer hands copies back to its seller at any time."""
    return item.parent_id is not None and item.owner_id == actor.account_id


def undo_is_over(item: LineItem) -> bool:
    """E8: the days within which the seller can take copies back have passed."""
    return undo_ends_at(item) < timezone.now()


def undo_ends_at(item: LineItem) -> datetime:
    """E8: when those days end."""
    return item.created_at + timedelta(days=settings.UNDO_DAYS)


def needs_reason(actor: User, item: LineItem) -> bool:
    """E13: where MOBOTIX acts on what others sold, it says why."""
    return actor.account.is_mobotix and item.seller_id != actor.account_id


def may_activate(actor: User, item: LineItem) -> bool:
    """E13: the owner's admins; for an end customer's item the serving account's; MOBOTIX always."""
    return actor.account.is_mobotix or actor.account_id in (item.owner_id, item.serving_account_id)


def may_correct(item: LineItem) -> bool:
    """E15: lowered is what has copies available, raised what was issued and is not Obsolete."""
    return item.available > 0 or (item.parent_id is None and item.state != State.OBSOLETE)
