"""Split a line item: some of its copies become a new line item of a buyer (E6, E7)."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Operation, Tier, User
from accounts.models.account import is_target_of
from accounts.permissions import Permission, check_permission
from entitlements.items.checks import check_copies, check_usable
from entitlements.items.predicates import may_split
from entitlements.ledger.movements import record_movement
from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.models import Entitlement, LineItem, MovementKind, State
from entitlements.models.line_item import CHAIN
from mxportal.shared.queries import one_or_none
from mxportal.shared.refusals import refusal
from notifications.messages import one_line

BUYER_COLUMNS = ("email", "language", "display_name", "first_name", "last_name", "account__tier")


@transaction.atomic(durable=True)
def split_line_item(
    *,
    actor: User,
    item_id: int,
    target_id: int,
    contact_id: int,
    copies: int,
    key: str,
    order_number: str = "",
    send_mail: bool = True,
    attach_certificate: bool = False,
) -> LineItem:
    """Split copies off to a buyer and return the buyer's new item, with its own Activation ID (E6, E7).

    ``order_number`` is the buyer's: lines of the same order come under one entitlement. The same ``key`` with the same
    request returns the same item again. Raises LineItem.DoesNotExist, PermissionDenied, and ValidationError at ``item``
    (state, expired), ``target``, ``contact`` or ``copies``.
    """
    check_permission(actor, Permission.SPLIT)
    source = LineItem.objects.visible_to(actor).for_update().get(pk=item_id)
    request = {
        "item": item_id,
        "target": target_id,
        "contact": contact_id,
        "copies": copies,
        "order_number": order_number,
        "send_mail": send_mail,
        "attach_certificate": attach_certificate,
    }
    once = Operation.once(actor, key, "split", request)
    if once.result:
        return LineItem.objects.get(pk=once.result)
    target, contact = check_split(
        actor=actor, source=source, target_id=target_id, contact_id=contact_id, copies=copies
    )
    entitlement = entitlement_for(actor=actor, owner=target, order_number=one_line(order_number))
    item = new_item(actor=actor, source=source, entitlement=entitlement, target=target, contact=contact)
    item.save()
    record_movement(actor=actor, kind=MovementKind.SPLIT, item=item, copies=copies)
    item.quantity = item.available = copies  # the trigger has just written these
    item.has_available = True
    if send_mail:
        queue_activation_mail(
            items=[item],
            recipients=[contact.email],
            actor=actor,
            certificate=attach_certificate,
            contact=contact,
        )
    once.keep(item)
    return item


def check_split(
    *, actor: User, source: LineItem, target_id: int, contact_id: int, copies: int
) -> tuple[Account, User]:
    """Check that the split is allowed, for the summary and again under the lock, and return target and contact (E6).

    Raises PermissionDenied, and ValidationError at ``item``, ``target``, ``contact`` or ``copies``.
    """
    if not may_split(actor, source):
        raise PermissionDenied
    check_usable(source)
    target, contact = find_buyer(actor, target_id, contact_id)
    check_copies(copies, source.available)
    return target, contact


def find_buyer(actor: User, target_id: int, contact_id: int) -> tuple[Account, User]:
    """Return target and contact in one query, with the columns that a split needs.

    Otherwise ``find_target`` or ``find_contact`` raises ValidationError at ``target`` or ``contact``.
    """
    is_target = is_target_of(actor, "account__")
    persons = User.objects.active().filter(is_target, pk=contact_id, account=target_id)
    contact = one_or_none(persons.select_related("account").only(*BUYER_COLUMNS))
    if contact is not None:
        return contact.account, contact
    target = find_target(actor, target_id)
    return target, find_contact(target, contact_id)


def find_target(actor: User, target_id: int) -> Account:
    """Return the target account.

    Raises ValidationError at ``target``, with one sentence for all causes, so that nobody can probe for other sellers'
    accounts.
    """
    target = Account.objects.targets_of(actor).filter(pk=target_id).first()
    if target is None:
        raise refusal(
            "wrong-account",
            {"target": _("Choose an active account that you sell to, on a lower tier than yours.")},
        )
    return target


def find_contact(target: Account, contact_id: int) -> User:
    """Return an active person of the target, which must come from ``find_target``: a seller sees its buyers' persons.

    Raises ValidationError at ``contact``.
    """
    contact = User.objects.active().filter(account=target, pk=contact_id).first()
    if contact is None:
        raise refusal("wrong-contact", {"contact": _("Choose a contact of the target account.")})
    return contact


def new_item(
    *, actor: User, source: LineItem, entitlement: Entitlement, target: Account, contact: User
) -> LineItem:
    """Build the target's line item: same product and dates, a new Activation ID, the target in its chain (E7).

    It is not saved yet. Its balances come with the movement.
    """
    chain = {column: getattr(source, f"{column}_id") for column in CHAIN.values()}
    chain[CHAIN[Tier(target.tier)]] = target.pk
    return LineItem(
        entitlement=entitlement,
        product_id=source.product_id,
        starts_on=source.starts_on,
        expires_on=source.expires_on,
        state=State.DEPLOYED,
        owner=target,
        seller_id=actor.account_id,
        serving_account=actor.account if target.tier == Tier.END_CUSTOMER else None,
        contact=contact,
        parent=source,
        created_by=actor,
        **{f"{column}_id": account_id for column, account_id in chain.items()},
    )


def entitlement_for(*, actor: User, owner: Account, order_number: str) -> Entitlement:
    """Return the owner's entitlement of this seller and order number, or create one (E7)."""
    if not order_number:
        return Entitlement.objects.create(seller=actor.account, owner=owner, created_by=actor)
    entitlement, _created = Entitlement.objects.get_or_create(
        seller=actor.account, owner=owner, order_number=order_number, defaults={"created_by": actor}
    )
    return entitlement
