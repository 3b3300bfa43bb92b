"""L4: copies come back from devices."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Operation, User
from accounts.permissions import Permission, check_permission
from entitlements.models import Activation, LineItem, Movement, MovementKind
from entitlements.predicates import may_activate
from entitlements.services.ledger import move_on_device
from entitlements.services.licenses import renew_license
from entitlements.services.reasons import check_reason, require_reason

YEAR = timedelta(days=365)


def returns_a_year(item: LineItem) -> int:
    """How many copies of the item may be returned within a year."""
    share = item.quantity * settings.RETURNS_A_YEAR_PERCENT // 100
    return max(settings.RETURNS_A_YEAR_LEAST, share)


def returns_left(item: LineItem) -> int:
    """How many copies more may be returned now, by whatever channel."""
    return returns_left_of([item])[item.pk]


def returns_left_of(items: Sequence[LineItem]) -> dict[int, int]:
    """``returns_left`` of several items, by key. One query."""
    since = timezone.now() - YEAR
    lately = Movement.objects.filter(item__in=items, kind=MovementKind.RETURN, created_at__gt=since)
    returned = dict(lately.order_by().values_list("item").annotate(copies=Sum("copies")))
    return {item.pk: max(0, returns_a_year(item) - returned.get(item.pk, 0)) for item in items}


@transaction.atomic(durable=True)
def return_copies(
    *, actor: User, activation_id: int, copies: int | None, key: str, reason: str = ""
) -> Activation:
    """Give copies back from a device to the item; the license ends, or holds for the rest. None is all of them.

    Works when the item is inactive or expired. Beyond the year's limit MOBOTIX does it, with a reason. Raises
    Activation.DoesNotExist, PermissionDenied, ValidationError at ``copies`` or ``reason``.
    """
    check_permission(actor, Permission.ACTIVATE)
    activation = lock_activation(actor, activation_id)
    request = {"activation": activation_id, "copies": copies, "reason": reason}
    if Operation.objects.done(actor=actor, key=key, kind="return", request=request):
        return activation
    copies = activation.copies if copies is None else copies
    take_from_device(actor=actor, activation=activation, copies=copies, reason=reason)
    renew_license(activation, activation.copies - copies)
    Operation.objects.record(actor=actor, key=key, kind="return", request=request, result=activation)
    activation.refresh_from_db(fields=["copies"])
    return activation


def lock_activation(actor: User, activation_id: int) -> Activation:
    """Lock the item, then read the activation; who may not activate may not return. Raises Activation.DoesNotExist."""
    visible = LineItem.objects.visible_to(actor)
    item_id = Activation.objects.filter(item__in=visible).values_list("item", flat=True).get(pk=activation_id)
    item = visible.select_for_update(no_key=True, of=("self",)).select_related("product").get(pk=item_id)
    if not may_activate(actor, item):
        raise PermissionDenied
    activation = Activation.objects.select_related("device").get(pk=activation_id)
    activation.item = item
    return activation


def take_from_device(*, actor: User | None, activation: Activation, copies: int, reason: str) -> None:
    """Under the item's lock: write the movement, within the year's limit (L4)."""
    item = activation.item
    if not 1 <= copies <= activation.copies:
        message = _("Enter a number from 1 to %(most)s.") % {"most": activation.copies}
        raise ValidationError({"copies": message})
    if actor is not None:
        check_reason(actor, item, reason)
    left = returns_left(item)
    if copies > left:
        if not (actor and actor.account.is_mobotix):
            raise ValidationError({"copies": limit_reached(item, left)})
        require_reason(reason)
    move_on_device(actor=actor, kind=MovementKind.RETURN, activation=activation, copies=copies, reason=reason)


def limit_reached(item: LineItem, left: int) -> str:
    """Why not, and who can. ``left``: what ``returns_left`` says."""
    most = returns_a_year(item)
    sentence = ngettext(
        "%(most)s copy of this line item can be returned a year; %(left)s is left. Ask MOBOTIX for more.",
        "%(most)s copies of this line item can be returned a year; %(left)s are left. Ask MOBOTIX for more.",
        most,
    )
    return sentence % {"most": most, "left": left}
