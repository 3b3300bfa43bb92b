"""The part of a transfer that concerns accounts: locks, checks, relations and mails (A7).

The app above adds what belongs to the account; its service calls these functions within its transaction.
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
class Transfer:
    """The account, its former seller, and its new seller."""

    account: Account
    former: Account
    seller: Account


def transferable_accounts(actor: User) -> AccountQuerySet:
    """Return every account except MOBOTIX's own."""
    return Account.objects.visible_to(actor).exclude(tier=Tier.MOBOTIX)


def possible_sellers(actor: User, account: Account) -> AccountQuerySet:
    """Return active accounts of a higher tier than the account's (A1, A5)."""
    higher = [tier for tier in Tier if tier.rank < Tier(account.tier).rank]
    return Account.objects.visible_to(actor).active().filter(tier__in=higher)


def sellers_of(actor: User, account: Account) -> AccountQuerySet:
    """Return the accounts that sell to it now."""
    relations = SellingRelation.objects.visible_to(actor).accepted().filter(buyer=account)
    return Account.objects.visible_to(actor).filter(pk__in=relations.values("seller"))


def lock_transfer(*, actor: User, account_id: int, former_id: int, seller_id: int) -> Transfer:
    """Lock sellers before the buyer, each by key: every change of an account or a relation locks at least one of them.

    Raises Account.DoesNotExist for the account, and ValidationError at ``former`` and ``seller``.
    """
    visible = Account.objects.visible_to(actor).for_update().order_by("pk")
    sellers = {seller.pk: seller for seller in visible.filter(pk__in=[former_id, seller_id])}
    account = transferable_accounts(actor).for_update().get(pk=account_id)
    for field, pk in (("former", former_id), ("seller", seller_id)):
        if pk not in sellers:
            raise ValidationError({field: _("Choose an account.")})
    return Transfer(account, sellers[former_id], sellers[seller_id])


def check_transfer(actor: User, transfer: Transfer) -> None:
    """Check the former seller, and that the new one is active and on a higher tier, without a namesake (A1, A3, A5).

    Raises ValidationError at ``former`` or ``seller``.
    """
    if not sellers_of(actor, transfer.account).filter(pk=transfer.former.pk).exists():
        raise ValidationError({"former": _("This seller no longer sells to the account.")})
    if transfer.seller == transfer.former:
        raise ValidationError({"seller": _("The account already buys from this seller. Choose another one.")})
    if not possible_sellers(actor, transfer.account).filter(pk=transfer.seller.pk).exists():
        raise ValidationError({"seller": _("Choose an active account of a higher tier.")})
    if has_namesake(transfer.seller, transfer.account):
        message = _(
            "%(seller)s sells to another account with the name “%(name)s”. Add the city to one of the two names first."
        )
        values = {"seller": transfer.seller.name, "name": transfer.account.name}
        raise ValidationError({"seller": message % values})


def change_seller(*, actor: User, transfer: Transfer, reason: str) -> None:
    """End one relation and accept the other; tell the account, its former and its new seller."""
    relations = SellingRelation.objects.visible_to(actor).filter(buyer=transfer.account)
    found = {one.seller_id: one for one in relations}
    ended = found[transfer.former.pk]
    accepted = found.get(transfer.seller.pk) or SellingRelation(
        seller=transfer.seller, buyer=transfer.account
    )
    for relation, status in ((ended, RelationStatus.ENDED), (accepted, RelationStatus.ACCEPTED)):
        relation.status, relation.decided_by, relation.decided_at = status, actor, timezone.now()
        relation.save()
    AuditEntry.objects.record(
        actor=actor,
        action="relation_moved",
        about=transfer.account,
        reason=reason,
        seller=transfer.seller.account_id,
        former=transfer.former.account_id,
    )
    admins = User.objects.admins()
    told = {"account": transfer.account.pk, "seller": transfer.seller.pk}
    queue_user_mails(
        admins.filter(account__in=[transfer.account, transfer.seller]).order_by("pk"), MOVED, **told
    )
    queue_user_mails(admins.filter(account=transfer.former).order_by("pk"), MOVED_AWAY, **told)
