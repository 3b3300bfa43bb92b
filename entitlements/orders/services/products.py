"""Create and change products (E1)."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEntry, Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.models import Product
from entitlements.models.kinds import Action
from mxportal.shared.refusals import refusal


def save_product(
    *,
    actor: User,
    key: str,
    product_id: int | None = None,
    precondition: Callable[[Product], None] | None = None,
    **fields: Any,
) -> Product:
    """Create a product, or change the one with ``product_id`` if ``precondition`` accepts the locked row (E1).

    ``fields`` are columns of Product. Raises Product.DoesNotExist, ValidationError at ``part_number``, and whatever
    ``precondition`` raises.
    """
    try:
        return _save_product(
            actor=actor, key=key, product_id=product_id, fields=fields, precondition=precondition
        )
    except IntegrityError as error:
        if "part_number" not in str(error):
            raise
        raise refusal(
            "part-number-used", {"part_number": _("There is already a product with this part number.")}
        ) from error


@transaction.atomic(durable=True)
def _save_product(
    *,
    actor: User,
    key: str,
    product_id: int | None,
    fields: dict[str, Any],
    precondition: Callable[[Product], None] | None = None,
) -> Product:
    check_permission(actor, Permission.MANAGE_PRODUCTS)
    product = _lock(actor, product_id)
    request = {"product": product_id, **fields}
    once = Operation.once(actor, key, "save_product", request)
    if once.result:
        return Product.objects.get(pk=once.result)
    if precondition:
        precondition(product)
    for name, value in fields.items():
        setattr(product, name, value)
    product.save()
    AuditEntry.objects.record(
        actor=actor, action=Action.PRODUCT_SAVED, about=product, part_number=product.part_number
    )
    once.keep(product)
    return product


def _lock(actor: User, product_id: int | None) -> Product:
    """Lock and return the product; for a new one lock the actor's account, so that simultaneous requests wait (E7)."""
    if product_id:
        return Product.objects.for_update().get(pk=product_id)
    Account.objects.for_update().get(pk=actor.account_id)
    return Product()
