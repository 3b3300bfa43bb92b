"""The result of a bulk split, and the template for its lines, as CSV and XLSX."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Account, User
from accounts.visibility import NAME_WITHHELD
from entitlements.bulk.files.columns import columns_for, label_of
from entitlements.items.predicates import is_party
from entitlements.items.rows import shown_activation_id, shown_order_number
from entitlements.models import BulkSplit, LineItem
from entitlements.models.line_item import PERMANENT
from mxportal.shared.spreadsheets import export


def template(kind: str, sources: Sequence[LineItem]) -> bytes:
    """Return a file with the column names; for several items, with a first line for each of them."""
    columns = columns_for(len(sources))
    several = sources if len(sources) > 1 else []
    rows = [
        [source.activation_id if name == "activation_id" else "" for name in columns] for source in several
    ]
    return export([label_of(name) for name in columns], rows, kind)


def result(actor: User, bulk: BulkSplit, kind: str) -> bytes:
    """Return every new item, as the reader may see it (A4, E5). Takes two queries."""
    items = (
        LineItem.objects.visible_to(actor)
        .filter(bulk_splits=bulk)
        .select_related("product", "entitlement", "contact", "parent")
        .order_by("pk")
    )
    owners = LineItem.objects.visible_to(actor).filter(bulk_splits=bulk).values("owner")
    accounts = {
        account.pk: account for account in Account.objects.name_visible_to(actor).filter(pk__in=owners)
    }
    return export(_header(), (_row(actor, item, accounts.get(item.owner_id)) for item in items), kind)


def _header() -> list[str]:
    return [
        _("Activation ID"),
        _("Entitlement ID"),
        _("Product"),
        _("Part number"),
        _("Quantity"),
        _("Start"),
        _("Expiration"),
        _("Account ID"),
        _("Sold to"),
        _("Contact"),
        pgettext("column", "Contact e-mail"),
        _("Order number of the buyer"),
        _("Split from"),
    ]


def _row(actor: User, item: LineItem, owner: Account | None) -> list[str | int]:
    contact = item.contact if is_party(actor, item) else None
    return [
        shown_activation_id(actor, item),
        item.entitlement.entitlement_id,
        item.product.name,
        item.product.part_number,
        item.quantity,
        item.starts_on.isoformat(),
        _("Permanent") if item.expires_on == PERMANENT else item.expires_on.isoformat(),
        owner.account_id if owner else "",
        owner.name if owner else str(NAME_WITHHELD),
        str(contact or ""),
        contact.email if contact else "",
        shown_order_number(actor, item),
        shown_activation_id(actor, item.parent) if item.parent else "",
    ]
