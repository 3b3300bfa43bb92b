"""Rows of activations that are visible to their reader (L1, E5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.permissions import Permission
from entitlements.items.predicates import may_activate
from entitlements.items.rows import shown_activation_id
from entitlements.models import Activation, Device, License, LineItem
from entitlements.models.activation import ActivationQuerySet


@dataclass(frozen=True)
class ActivationRow:
    """Copies of an item on a device; ``device_pk`` is set where the reader may open the device's page."""

    pk: int
    item_pk: int
    product: str
    part_number: str
    activation_id: str
    copies: int
    device: str
    host_id: str
    site: str
    device_pk: int | None
    license: License | None
    may_return: bool
    may_rehost: bool

    @property
    def issued_at(self) -> datetime | None:
        """When the valid license was issued, or None."""
        return self.license.issued_at if self.license else None


def for_activation_rows(activations: ActivationQuerySet) -> ActivationQuerySet:
    """Select what a row shows."""
    return activations.select_related("item__product", "device")


def activation_rows(actor: User, activations: Iterable[Activation]) -> list[ActivationRow]:
    """Return rows of activations. Two queries: the valid licenses, and which devices the reader may open."""
    activations = list(activations)
    valid = License.objects.visible_to(actor).valid().filter(activation__in=activations)
    licenses = {license.activation_id: license for license in valid.defer("file")}
    devices = {activation.device_id for activation in activations}
    open_to = set(Device.objects.visible_to(actor).filter(pk__in=devices).values_list("pk", flat=True))
    return [_row(actor, one, licenses.get(one.pk), one.device_id in open_to) for one in activations]


def _row(actor: User, activation: Activation, license: License | None, may_open: bool) -> ActivationRow:
    item, device = activation.item, activation.device
    acts = activation.copies > 0 and actor.may(Permission.ACTIVATE) and may_activate(actor, item)
    return ActivationRow(
        pk=activation.pk,
        item_pk=item.pk,
        product=item.product.name,
        part_number=item.product.part_number,
        activation_id=shown_activation_id(actor, item),
        copies=activation.copies,
        device=str(device),
        host_id=device.host_id,
        site=device.site,
        device_pk=device.pk if may_open else None,
        license=license,
        may_return=acts,
        may_rehost=acts and item.is_usable,
    )


def rows_of_item(actor: User, item: LineItem, size: int) -> list[ActivationRow]:
    """Return the newest activations of an item; none for a reader who is no party of it."""
    held = Activation.objects.visible_to(actor).held().filter(item=item).order_by("-pk")
    return activation_rows(actor, for_activation_rows(held)[:size])
