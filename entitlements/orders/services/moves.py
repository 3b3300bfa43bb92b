"""A7: MOBOTIX moves an account, with all it has, to another seller."""

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account, AuditEntry, Operation, User
from accounts.permissions import Permission, check_permission
from accounts.services.moves import Move, change_seller, check_move, lock_move
from entitlements.items.checks import require_reason
from entitlements.items.locks import lock_items
from entitlements.mailing.services.queue import share_mails
from entitlements.models import LineItem
from entitlements.models.kinds import Action


@transaction.atomic(durable=True)
def move_account(
    *, actor: User, account_id: int, former_id: int, seller_id: int, key: str, reason: str
) -> Account:
    """The relation ends and another is accepted; an End customer's items are looked after by the new seller.

    The chain of each item is history and stays, contacts and logins too. Raises Account.DoesNotExist, ValidationError
    at ``former``, ``seller`` or ``reason``.
    """
    check_permission(actor, Permission.MOVE_ACCOUNTS)
    move = lock_move(actor=actor, account_id=account_id, former_id=former_id, seller_id=seller_id)
    request = {"account": account_id, "former": former_id, "seller": seller_id, "reason": reason}
    once = Operation.once(actor, key, "move_account", request)
    if once.result:
        return move.account
    require_reason(reason)
    check_move(actor, move)
    change_seller(actor=actor, move=move, reason=reason)
    _hand_over(actor, move)
    once.keep(move.account)
    return move.account


def _hand_over(actor: User, move: Move) -> None:
    """The former seller's items that it could split from are locked, too: a split that has read the old relation comes
    before this, and its item is seen here; any other reads the new one.
    """
    sources = LineItem.objects.filter(owner=move.former, available__gt=0)
    lock_items([*sources.values_list("pk", flat=True), *_served(move).values_list("pk", flat=True)])
    items = list(_served(move).order_by("pk"))
    _served(move).update(serving_account=move.seller)
    share_mails(account=move.account, reader=move.seller)
    AuditEntry.objects.record_many(
        actor=actor, action=Action.SERVED_BY_CHANGED, about=items, account=move.seller.pk
    )


def _served(move: Move) -> QuerySet[LineItem]:
    return LineItem.objects.filter(owner=move.account, serving_account=move.former)
