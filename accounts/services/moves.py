"""A7: the part of a move that is about accounts: locks, checks, relations and mails.

What the account has lies in the app above, whose service calls these within its transaction.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, RelationStatus, SellingRelation, Tier, User
from accounts.models.account import AccountQuerySet
from accounts.services.credentials import queue_user_mails
from accounts.services.relations import has_namesake

MOVED = "accounts.moved"
MOVED_AWAY = "accounts.moved_away"


@dataclass(frozen=True)
class Move:
    """Who moves, from whom, to whom."""

    account: Account
    former: Account
    seller: Account


def movable(actor: User) -> AccountQuerySet:
    """Every account but MOBOTIX's own."""
    return Account.objects.visible_to(actor).exclude(tier=Tier.MOBOTIX)


def possible_sellers(actor: User, account: Account) -> AccountQuerySet:
    """A1, A5: active accounts of a higher tier than the account's."""
    higher = [tier for tier in Tier if tier.rank < Tier(account.tier).rank]
    return Account.objects.visible_to(actor).active().filter(tier__in=higher)


def sellers_of(actor: User, account: Account) -> AccountQuerySet:
    """The accounts that sell to it now."""
    relations = SellingRelation.objects.visible_to(actor).accepted().filter(buyer=account)
    return Account.objects.visible_to(actor).filter(pk__in=relations.values("seller"))


def lock_move(*, actor: User, account_id: int, former_id: int, seller_id: int) -> Move:
    """Lock sellers before buyer, each by key: who changes an account or a relation locks one of them at least.

    Raises Account.DoesNotExist for the account, ValidationError at ``former`` and ``seller``.
    """
    visible = Account.objects.visible_to(actor).for_update().order_by("pk")
    sellers = {seller.pk: seller for seller in visible.filter(pk__in=[former_id, seller_id])}
    account = movable(actor).for_update().get(pk=account_id)
    for field, pk in (("former", former_id), ("seller", seller_id)):
        if pk not in sellers:
            raise ValidationError({field: _("Choose an account.")})
    return Move(account, sellers[former_id], sellers[seller_id])


def check_move(actor: User, move: Move) -> None:
    """A1, A3, A5: from a seller that it has, to an active one of a higher tier that has no other buyer of its name.

    Raises ValidationError at ``former`` or ``seller``.
    """
    if not sellers_of(actor, move.account).filter(pk=move.former.pk).exists():
        raise ValidationError({"former": _("This seller no longer sells to the account.")})
    if move.seller == move.former:
        raise ValidationError({"seller": _("The account already buys from this seller. Choose another one.")})
    if not possible_sellers(actor, move.account).filter(pk=move.seller.pk).exists():
        raise ValidationError({"seller": _("Choose an active account of a higher tier.")})
    if has_namesake(move.seller, move.account):
        message = _(
            "%(seller)s sells to another account with the name “%(name)s”. Add the city to one of the two names first."
        )
        values = {"seller": move.seller.name, "name": move.account.name}
        raise ValidationError({"seller": message % values})


def change_seller(*, actor: User, move: Move, reason: str) -> None:
    """End one relation and accept the other; the account, its old and its new seller are told."""
    relations = SellingRelation.objects.visible_to(actor).filter(buyer=move.account)
    found = {one.seller_id: one for one in relations}
    ended = found[move.former.pk]
    accepted = found.get(move.seller.pk) or SellingRelation(seller=move.seller, buyer=move.account)
    for relation, status in ((ended, RelationStatus.ENDED), (accepted, RelationStatus.ACCEPTED)):
        relation.status, relation.decided_by, relation.decided_at = status, actor, timezone.now()
        relation.save()
    AuditEntry.objects.record(
        actor=actor,
        action="relation_moved",
        about=move.account,
        reason=reason,
        seller=move.seller.account_id,
        former=move.former.account_id,
    )
    admins = User.objects.admins()
    told = {"account": move.account.pk, "seller": move.seller.pk}
    queue_user_mails(admins.filter(account__in=[move.account, move.seller]).order_by("pk"), MOVED, **told)
    queue_user_mails(admins.filter(account=move.former).order_by("pk"), MOVED_AWAY, **told)
