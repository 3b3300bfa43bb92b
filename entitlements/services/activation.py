"""L2: copies of a line item on a device."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Operation, Tier, User
from accounts.permissions import Permission, check_permission
from entitlements.activation_ids import canonical
from entitlements.models import Activation, License, LineItem, MovementKind, State
from entitlements.predicates import may_activate
from entitlements.services.devices import HostId, find_or_make_device
from entitlements.services.ledger import move_on_device
from entitlements.services.licenses import renew_license
from entitlements.services.returns import take_from_device
from entitlements.services.split import check_copies


@transaction.atomic(durable=True)
def activate(*, actor: User, item_id: int, host: HostId, copies: int, key: str, reason: str = "") -> License:
    """Set how many copies of an item a device holds, and return the license that says so.

    ``copies`` is the new total, so that the same request again changes nothing and gives the same license. Fewer copies
    than before are a return (L4). Raises LineItem.DoesNotExist, PermissionDenied, ValidationError at ``item``,
    ``host_id``, ``copies`` or ``reason``.
    """
    check_permission(actor, Permission.ACTIVATE)
    item = lock_item(LineItem.objects.visible_to(actor).filter(pk=item_id))
    request: dict[str, Any] = {"item": item_id, "host": host.normal, "copies": copies, "reason": reason}
    if done := Operation.objects.done(actor=actor, key=key, kind="activate", request=request):
        return License.objects.get(pk=done)
    if not may_activate(actor, item):
        raise PermissionDenied
    license = set_copies(actor=actor, item=item, host=host, copies=copies, reason=reason)
    Operation.objects.record(actor=actor, key=key, kind="activate", request=request, result=license)
    return license


@transaction.atomic(durable=True)
def activate_as_bearer(*, activation_id: str, host: HostId, copies: int) -> License:
    """L2: the Activation ID is the proof, for end customers' items only. This is how MxMC activates.

    Raises LineItem.DoesNotExist alike for an ID that is mistyped, unknown, or not an end customer's.
    """
    written = canonical(activation_id)
    if written is None:
        raise LineItem.DoesNotExist
    owned = LineItem.objects.filter(owner__tier=Tier.END_CUSTOMER)
    item = lock_item(owned.filter(activation_id=written))
    return set_copies(actor=None, item=item, host=host, copies=copies)


def lock_item(items: Any) -> LineItem:
    """The one item, locked. Raises LineItem.DoesNotExist."""
    return items.select_for_update(no_key=True, of=("self",)).select_related("product", "owner").get()


def set_copies(*, actor: User | None, item: LineItem, host: HostId, copies: int, reason: str = "") -> License:
    """Under the item's lock: the device holds ``copies`` from now on."""
    check_can_be_activated(item)
    if copies < 1:
        raise ValidationError({"copies": _("Enter at least 1 copy.")})
    device = find_or_make_device(account=item.owner, host=host, actor=actor)
    activation, _made = Activation.objects.get_or_create(item=item, device=device)
    activation.item, activation.device = item, device
    change = copies - activation.copies
    if change < 0:
        take_from_device(actor=actor, activation=activation, copies=-change, reason=reason)
    elif change > 0:
        check_copies(change, item.available)
        move_on_device(
            actor=actor, kind=MovementKind.ACTIVATE, activation=activation, copies=change, reason=reason
        )
    current = activation.licenses.filter(ended_at=None).first()
    if change == 0 and current is not None:
        return current
    license = renew_license(activation, copies)
    assert license is not None, "copies are at least 1"
    return license


def check_can_be_activated(item: LineItem) -> None:
    """E3, L2: deployed and not expired; before the start date is allowed. Raises ValidationError at ``item``."""
    if item.is_expired:
        raise ValidationError({"item": _("This line item has expired; it cannot be activated any more.")})
    if item.state != State.DEPLOYED:
        message = _("This line item is in state “%(state)s”. Only deployed line items can be activated.")
        raise ValidationError({"item": message % {"state": State(item.state).label}})
