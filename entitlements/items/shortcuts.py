"""What the steps of one line item share: loading the item, and the row that their pages show of it."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.models import User
from entitlements.items.predicates import is_party
from entitlements.items.rows import (
    ItemRow,
    item_rows,
)
from entitlements.models import LineItem

MAILS_SHOWN = 50
SPLITS_SHOWN = 50


def load_item(actor: User, pk: int) -> LineItem:
    """Return the item, or raise Http404 where the actor does not see it (E12)."""
    visible = LineItem.objects.visible_to(actor)
    return get_object_or_404(visible.select_related("product", "entitlement", "contact"), pk=pk)


def load_party_item(actor: User, pk: int) -> LineItem:
    """Return the item like ``load_item``, or raise PermissionDenied where the actor is no party of it (E13)."""
    item = load_item(actor, pk)
    deny_unless(is_party(actor, item))
    return item


def shown(actor: User, item: LineItem) -> ItemRow:
    """Return the item's row as the actor may see it (A4, E5)."""
    return item_rows(actor, [item])[0]


def deny_unless(allowed: bool) -> None:
    """Raise PermissionDenied (403) unless ``allowed``."""
    if not allowed:
        raise PermissionDenied(
            _("This step is only for companies that own, sold or look after this line item.")
        )


ACTIVATIONS_SHOWN = 10
