"""Create entitlements, add lines to them and deploy them (E1)."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, Operation, Tier, User
from accounts.permissions import Permission, check_permission
from entitlements.items.checks import MAX_COPIES
from entitlements.ledger.movements import record_movement
from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.models import PERMANENT, Entitlement, LicenseModel, LineItem, MovementKind, Product, State
from entitlements.models.kinds import Action
from entitlements.models.line_item import CHAIN
from mxportal.shared.refusals import coded_by_field, refusal
from notifications.messages import one_line

MAX_LINES_PER_ORDER = 100  # that one form or request adds


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """One line of an order; ``expires_on`` is None for a permanent license."""

    product_id: int
    quantity: int
    starts_on: date
    expires_on: date | None


@transaction.atomic(durable=True)
def create_entitlement(
    *,
    actor: User,
    owner_id: int,
    contact_id: int,
    lines: list[NewLine],
    key: str,
    order_number: str = "",
    order_date: date | None = None,
    deploy: bool = False,
    send_mail: bool = False,
) -> Entitlement:
    """Create an entitlement with its line items as drafts; with ``deploy``, deploy them at once (E1).

    Raises ValidationError at ``owner``, ``contact``, ``order_number`` (it exists: add lines to it) or ``lines``.
    """
    check_permission(actor, Permission.CREATE_ENTITLEMENTS)
    seller = Account.objects.for_update().get(pk=actor.account_id)
    request = {
        "owner": owner_id,
        "contact": contact_id,
        "order_number": order_number,
        "order_date": order_date,
        "lines": [asdict(line) for line in lines],
        "deploy": deploy,
        "send_mail": send_mail,
    }
    once = Operation.once(actor, key, "create_entitlement", request)
    if once.result:
        return Entitlement.objects.get(pk=once.result)
    owner = Account.objects.active().filter(pk=owner_id, tier__in=seller.lower_tiers()).first()
    if owner is None:
        raise refusal("wrong-account", {"owner": _("Choose an active account.")})
    order_number = one_line(order_number)
    if (
        order_number
        and Entitlement.objects.filter(seller=seller, owner=owner, order_number=order_number).exists()
    ):
        raise refusal(
            "order-exists",
            {
                "order_number": _(
                    "This account already has an entitlement for this order. Add the lines there."
                )
            },
        )
    entitlement = Entitlement.objects.create(
        seller=seller, owner=owner, order_number=order_number, order_date=order_date, created_by=actor
    )
    _add_lines(actor, entitlement, contact_id, lines)
    AuditEntry.objects.record(actor=actor, action=Action.ENTITLEMENT_CREATED, about=entitlement)
    if deploy:
        _deploy(actor, entitlement, send_mail=send_mail)
    once.keep(entitlement)
    return entitlement


@transaction.atomic(durable=True)
def add_lines(
    *,
    actor: User,
    entitlement_id: int,
    contact_id: int,
    lines: list[NewLine],
    key: str,
    deploy: bool = False,
    send_mail: bool = False,
) -> Entitlement:
    """Add draft lines to an entitlement that MOBOTIX sold; with ``deploy``, deploy all of its drafts (E1).

    Raises Entitlement.DoesNotExist, and ValidationError at ``contact`` or ``lines``.
    """
    check_permission(actor, Permission.CREATE_ENTITLEMENTS)
    sold = Entitlement.objects.visible_to(actor).filter(seller=actor.account)
    entitlement = sold.for_update().get(pk=entitlement_id)
    request = {
        "entitlement": entitlement_id,
        "contact": contact_id,
        "lines": [asdict(line) for line in lines],
        "deploy": deploy,
        "send_mail": send_mail,
    }
    once = Operation.once(actor, key, "add_lines", request)
    if once.result:
        return entitlement
    _add_lines(actor, entitlement, contact_id, lines)
    AuditEntry.objects.record(actor=actor, action=Action.LINES_ADDED, about=entitlement, count=len(lines))
    if deploy:
        _deploy(actor, entitlement, send_mail=send_mail)
    once.keep(entitlement)
    return entitlement


def _add_lines(actor: User, entitlement: Entitlement, contact_id: int, lines: list[NewLine]) -> None:
    owner = entitlement.owner
    contact = User.objects.visible_to(actor).active().filter(account=owner, pk=contact_id).first()
    if contact is None:
        raise refusal(
            "wrong-contact",
            {"contact": _("Choose a contact of the account that the entitlement is sold to.")},
        )
    if not lines:
        raise refusal("no-lines", {"lines": _("Enter at least one line item.")})
    _check_receives(owner)
    for number, line in enumerate(lines, start=1):
        _check_numbered(number, line)
        item = LineItem.objects.create(
            entitlement=entitlement,
            product_id=line.product_id,
            starts_on=line.starts_on,
            expires_on=line.expires_on or PERMANENT,
            state=State.DRAFT,
            owner=owner,
            seller=entitlement.seller,
            serving_account=entitlement.seller if owner.tier == Tier.END_CUSTOMER else None,
            contact=contact,
            created_by=actor,
            **{CHAIN[Tier(owner.tier)]: owner},
        )
        record_movement(actor=actor, kind=MovementKind.ISSUE, item=item, copies=line.quantity)


def _check_receives(owner: Account) -> None:
    """Refuse an inactive account, which receives nothing (A5)."""
    if not owner.is_active:
        raise refusal(
            "account-inactive",
            _("This account is inactive and cannot receive anything. Set it active first."),
        )


def _check_numbered(number: int, line: NewLine) -> None:
    """Check a line and name its number, for callers without a place for each field.

    Raises ValidationError at ``lines``.
    """
    try:
        check_line(line)
    except ValidationError as error:
        message = _("Line %(number)s: %(problem)s")
        problems = [
            ValidationError(message % {"number": number, "problem": sentence}, code=code)
            for found in coded_by_field(error).values()
            for code, sentence in found
        ]
        raise ValidationError({"lines": problems}) from error


def check_line(line: NewLine) -> None:
    """Check quantity, dates and license model of one line.

    Raises ValidationError at ``product``, ``quantity`` or ``expires_on``.
    """
    product = Product.objects.active().filter(pk=line.product_id).first()
    if product is None:
        raise refusal("wrong-product", {"product": _("Choose an active product.")})
    if line.quantity < 1:
        raise refusal("too-few-copies", {"quantity": _("Enter a quantity of at least 1.")})
    if line.quantity > MAX_COPIES:
        message = _("Enter a quantity of at most %(most)s.")
        raise refusal("too-many-copies", {"quantity": message % {"most": f"{MAX_COPIES:,}"}})
    if line.expires_on and line.expires_on < line.starts_on:
        raise refusal(
            "ends-before-start", {"expires_on": _("The expiration date lies before the start date.")}
        )
    if product.license_model == LicenseModel.TERM and line.expires_on in (None, PERMANENT):
        raise refusal("end-needed", {"expires_on": _("A term license needs an expiration date.")})


@transaction.atomic(durable=True)
def deploy_entitlement(*, actor: User, entitlement_id: int, key: str, send_mail: bool = True) -> Entitlement:
    """Deploy every draft line; with ``send_mail``, send each contact one mail with all its lines (E1).

    Raises Entitlement.DoesNotExist, and ValidationError if there is no draft line.
    """
    check_permission(actor, Permission.CHANGE_STATES)
    sold = Entitlement.objects.visible_to(actor).filter(seller=actor.account)
    entitlement = sold.for_update().get(pk=entitlement_id)
    request: dict[str, Any] = {"entitlement": entitlement_id, "send_mail": send_mail}
    once = Operation.once(actor, key, "deploy", request)
    if once.result:
        return entitlement
    _deploy(actor, entitlement, send_mail=send_mail)
    once.keep(entitlement)
    return entitlement


def _deploy(actor: User, entitlement: Entitlement, *, send_mail: bool) -> None:
    """Deploy the draft lines. The caller opens the transaction and locks the entitlement."""
    check_permission(actor, Permission.CHANGE_STATES)
    drafts = entitlement.line_items.filter(state=State.DRAFT).order_by("pk").for_update()
    items = list(drafts)
    if not items:
        raise refusal("already-deployed", _("All line items of this entitlement are already deployed."))
    _check_receives(entitlement.owner)
    for item in items:
        item.state = State.DEPLOYED
        item.save(update_fields=["state"])
        AuditEntry.objects.record(
            actor=actor, action=Action.STATE_CHANGED, about=item, before="draft", after="deployed"
        )
    if send_mail:
        contacts = User.objects.filter(pk__in={item.contact_id for item in items}).values_list(
            "email", flat=True
        )
        queue_activation_mail(items=items, recipients=list(contacts), actor=actor, certificate=False)
