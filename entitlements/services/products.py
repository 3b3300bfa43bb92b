"""E1: MOBOTIX's products."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.models import Product


def save_product(*, actor: User, key: str, product_id: int | None = None, **fields: Any) -> Product:
    """Create a product, or change the one with ``product_id``. Raises ValidationError at ``part_number``."""
    try:
        return _save_product(actor=actor, key=key, product_id=product_id, fields=fields)
    except IntegrityError as error:  # its only unique column
        raise ValidationError(
            {"part_number": _("There is already a product with this part number.")}
        ) from error


@transaction.atomic(durable=True)
def _save_product(*, actor: User, key: str, product_id: int | None, fields: dict[str, Any]) -> Product:
    check_permission(actor, Permission.MANAGE_PRODUCTS)
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id) if product_id else Product()
    request = {"product": product_id, **fields}
    if done := Operation.objects.done(actor=actor, key=key, kind="save_product", request=request):
        return Product.objects.get(pk=done)
    for name, value in fields.items():
        setattr(product, name, value)
    product.save()
    AuditEntry.objects.record(
        actor=actor, action="product_saved", about=product, part_number=product.part_number
    )
    Operation.objects.record(actor=actor, key=key, kind="save_product", request=request, result=product)
    return product
