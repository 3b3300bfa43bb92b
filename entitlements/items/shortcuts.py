"""What the steps of one line item share: loading it, and the row that their pages show of it."""

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
    """404 where the reader does not see it (E12)."""
    visible = LineItem.objects.visible_to(actor)
    return get_object_or_404(visible.select_related("product", "entitlement", "contact"), pk=pk)


def load_party_item(actor: User, pk: int) -> LineItem:
    """403 besides, where the reader is none of those who act on it (E13)."""
    item = load_item(actor, pk)
    require(is_party(actor, item))
    return item


def shown(actor: User, item: LineItem) -> ItemRow:
    """The item as this reader may see it (A4, E5)."""
    return item_rows(actor, [item])[0]


def require(allowed: bool) -> None:
    """403 unless allowed."""
    if not allowed:
        raise PermissionDenied(
            _("This step is for the companies that hold, sold or look after this line item.")
        )


ACTIVATIONS_SHOWN = 10
