"""Relations to further sellers: the seller asks by Account ID, the partner's admin accepts (A2)."""

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, RelationStatus, SellingRelation, User
from accounts.permissions import Permission, check_permission
from accounts.services.credentials import queue_user_mail, queue_user_mails

RELATION_REQUESTED = "accounts.relation_requested"
NAMESAKE = "accounts.namesake"
ASKED_AGAIN_AFTER = timedelta(days=30)


@transaction.atomic(durable=True)
def request_relation(*, actor: User, account_id: str) -> SellingRelation:
    """Ask a partner account to buy from the actor's account, too. Its admins get a mail (A2).

    Raises ValidationError at ``account_id``, with one sentence for all accounts that cannot be asked.
    """
    check_permission(actor, Permission.CREATE_ACCOUNTS)
    buyer = _find_partner(actor.account, account_id)
    relation = SellingRelation.objects.filter(seller=actor.account, buyer=buyer).first()
    relation = relation or SellingRelation(seller=actor.account, buyer=buyer)
    if relation.status == RelationStatus.ACCEPTED:
        raise ValidationError({"account_id": _("You already sell to this account.")})
    if relation.status == RelationStatus.REQUESTED:
        raise ValidationError(
            {"account_id": _("You have already asked. No Portal Admin of the account has answered yet.")}
        )
    _check_asked_again(relation)
    relation.status = RelationStatus.REQUESTED
    relation.requested_by, relation.decided_by, relation.decided_at = actor, None, None
    relation.save()
    AuditEntry.objects.record(
        actor=actor, action="relation_requested", about=buyer, seller=actor.account.account_id
    )
    _tell_admins(relation)
    return relation


def _check_asked_again(relation: SellingRelation) -> None:
    """Refuse a new request within a month after a decline, because each request is a mail to every admin (A2)."""
    if relation.status != RelationStatus.DECLINED or relation.decided_at is None:
        return
    again_at = relation.decided_at + ASKED_AGAIN_AFTER
    if timezone.now() < again_at:
        day = date_format(timezone.localtime(again_at), "SHORT_DATE_FORMAT")
        message = _("This account has declined your request. You can ask again from %(day)s.") % {"day": day}
        raise ValidationError({"account_id": message})


def _find_partner(seller: Account, account_id: str) -> Account:
    partners = Account.objects.active().filter(
        account_id__iexact=account_id.strip(),
        tier__in=seller.partner_tiers(),
    )
    buyer = partners.for_update().first()  # locked against simultaneous requests
    if buyer is None:
        raise ValidationError(
            {"account_id": _("There is no partner account with this Account ID that you could sell to.")}
        )
    return buyer


def has_namesake(seller: Account, buyer: Account) -> bool:
    """Return whether the seller has another buyer of this name (A3)."""
    named = SellingRelation.objects.buyers_named(seller, buyer.name_key)
    return named.exclude(buyer=buyer).exists()


def tell_of_namesakes(buyer: Account, sellers: Iterable[Account]) -> None:
    """Tell sellers that have another buyer of this name by mail; the buyer's own name is never refused (A3)."""
    for seller in sellers:
        if has_namesake(seller, buyer):
            admins = User.objects.admins().filter(account=seller).order_by("pk")
            queue_user_mails(admins, NAMESAKE, account=buyer.pk)


def _tell_admins(relation: SellingRelation) -> None:
    for admin in User.objects.admins().filter(account=relation.buyer):
        queue_user_mail(admin, RELATION_REQUESTED, relation=relation.pk)


@transaction.atomic(durable=True)
def decide_relation(*, actor: User, relation_id: int, accept: bool) -> SellingRelation:
    """Accept or decline a seller's request for the actor's account (A2).

    A seller that has a buyer of the same name is told; a refusal would tell the buyer whom it sells to (A3). Raises
    SellingRelation.DoesNotExist if no request is open.
    """
    check_permission(actor, Permission.MANAGE_USERS)
    open_requests = SellingRelation.objects.requested().filter(buyer=actor.account, pk=relation_id)
    # Locks the names of its buyers, and their relations with it.
    seller = Account.objects.for_update().get(pk=open_requests.values("seller").get()["seller"])
    relation = open_requests.get()
    relation.status = RelationStatus.ACCEPTED if accept else RelationStatus.DECLINED
    relation.decided_by, relation.decided_at = actor, timezone.now()
    relation.save()
    AuditEntry.objects.record(
        actor=actor,
        action=f"relation_{relation.status}",
        about=actor.account,
        seller=relation.seller.account_id,
    )
    if accept:
        tell_of_namesakes(actor.account, [seller])
    return relation
