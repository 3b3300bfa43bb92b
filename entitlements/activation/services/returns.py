"""Returns of copies from devices (L4)."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.activation.services.licenses import renew_license
from entitlements.activation.services.return_limits import ReturnLimits, count_return
from entitlements.items.checks import check_reason, require_reason
from entitlements.items.locks import lock_above
from entitlements.items.predicates import may_activate
from entitlements.ledger.movements import record_device_movement
from entitlements.models import Activation, LineItem, MovementKind
from mxportal.shared.refusals import refusal


@transaction.atomic(durable=True)
def return_copies(
    *, actor: User, activation_id: int, copies: int | None, key: str, reason: str = ""
) -> Activation:
    """Return copies from a device to the item; its license ends, or a new one covers the rest (L4).

    ``copies`` None means all of them. The item may be inactive or expired. Only MOBOTIX can exceed the year's limit,
    with a reason. Raises Activation.DoesNotExist, PermissionDenied, ValidationError at ``copies`` or ``reason``.
    """
    check_permission(actor, Permission.ACTIVATE)
    activation, above = lock_activation(actor, activation_id)
    request = {"activation": activation_id, "copies": copies, "reason": reason}
    once = Operation.once(actor, key, "return", request)
    if once.result:
        return activation
    copies = activation.copies if copies is None else copies
    take_from_device(actor=actor, activation=activation, copies=copies, reason=reason, above=above)
    renew_license(activation, activation.copies - copies)
    once.keep(activation)
    activation.refresh_from_db(fields=["copies"])
    return activation


def lock_activation(actor: User, activation_id: int) -> tuple[Activation, list[LineItem]]:
    """Lock the item and the items that it descends from, and return the activation and the latter.

    An actor who may not activate the item may not return its copies. Raises Activation.DoesNotExist, PermissionDenied.
    """
    visible = LineItem.objects.visible_to(actor)
    item_id = Activation.objects.filter(item__in=visible).values_list("item", flat=True).get(pk=activation_id)
    above = lock_above(visible.filter(pk=item_id))
    item = visible.for_update().select_related("product").get(pk=item_id)
    if not may_activate(actor, item):
        raise PermissionDenied
    activation = Activation.objects.select_related("device").get(pk=activation_id)
    activation.item = item
    return activation, above


def take_from_device(
    *,
    actor: User | None,
    activation: Activation,
    copies: int,
    reason: str,
    above: Sequence[LineItem] | None,
) -> None:
    """Record the movement, within the year's limit of the item and of every item that it descends from (L4).

    ``above`` are these items, locked like the item itself; None where the caller expected no return and locked none of
    them. Raises ValidationError at ``copies`` or ``reason``.
    """
    item = activation.item
    if not 1 <= copies <= activation.copies:
        message = _("Enter a number from 1 to %(most)s.") % {"most": activation.copies}
        raise refusal("copies-out-of-range", {"copies": message})
    if actor is not None:
        check_reason(actor, item, reason)
    if above is None:
        message = _("The copies on this device have just been changed. Check them again.")
        raise refusal("changed-meanwhile", {"copies": message})
    chain = [item, *above]
    if obstacle := ReturnLimits(actor, [chain]).obstacle(item, copies):
        if not (actor and actor.account.is_mobotix):
            raise refusal("returns-used-up", {"copies": obstacle})
        require_reason(reason)
    movement = record_device_movement(
        actor=actor, kind=MovementKind.RETURN, activation=activation, copies=copies, reason=reason
    )
    count_return(movement, chain)
