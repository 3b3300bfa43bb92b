"""Transfer an account, with its items, devices and contacts, to another seller (A7)."""

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account, AuditEntry, Operation, User
from accounts.permissions import Permission, check_permission
from accounts.services.transfers import Transfer, change_seller, check_transfer, lock_transfer
from entitlements.items.checks import require_reason
from entitlements.items.locks import lock_items
from entitlements.mailing.services.queue import share_mails
from entitlements.models import LineItem
from entitlements.models.kinds import Action


@transaction.atomic(durable=True)
def transfer_account(
    *, actor: User, account_id: int, former_id: int, seller_id: int, key: str, reason: str
) -> Account:
    """End the account's relation to its former seller and start one to the new seller (A7).

    The new seller serves the items of an End customer from then on. The chain of each item is history and stays, and so
    do contacts and logins. Raises Account.DoesNotExist, and ValidationError at ``former``, ``seller`` or ``reason``.
    """
    check_permission(actor, Permission.TRANSFER_ACCOUNTS)
    transfer = lock_transfer(actor=actor, account_id=account_id, former_id=former_id, seller_id=seller_id)
    request = {"account": account_id, "former": former_id, "seller": seller_id, "reason": reason}
    once = Operation.once(actor, key, "move_account", request)
    if once.result:
        return transfer.account
    require_reason(reason)
    check_transfer(actor, transfer)
    change_seller(actor=actor, transfer=transfer, reason=reason)
    _hand_over(actor, transfer)
    once.keep(transfer.account)
    return transfer.account


def _hand_over(actor: User, transfer: Transfer) -> None:
    """Give the items that the former seller served to the new one, with their mails.

    Items that the former seller could split are locked, too. A split that has read the old relation therefore ends
    before this, and its item is included; any later split reads the new relation.
    """
    sources = LineItem.objects.filter(owner=transfer.former, available__gt=0)
    lock_items([*sources.values_list("pk", flat=True), *_served(transfer).values_list("pk", flat=True)])
    items = list(_served(transfer).order_by("pk"))
    _served(transfer).update(serving_account=transfer.seller)
    share_mails(account=transfer.account, reader=transfer.seller)
    AuditEntry.objects.record_many(
        actor=actor, action=Action.SERVED_BY_CHANGED, about=items, account=transfer.seller.pk
    )


def _served(transfer: Transfer) -> QuerySet[LineItem]:
    return LineItem.objects.filter(owner=transfer.account, serving_account=transfer.former)
