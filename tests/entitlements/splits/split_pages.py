"""Short ways through the pages of a split."""

from typing import Any

from django.urls import reverse

from entitlements.models import LineItem
from mxportal.shared.forms import new_key
from tests.factories import Cast


def address(item: LineItem) -> str:
    return reverse("line_item_split", args=[item.pk])


def typed(cast: Cast, **changes: Any) -> dict[str, Any]:
    """What the splitter types and chooses on the way."""
    target = changes.pop("account", cast.installer.account)
    return {
        "step": "summary",
        "key": new_key(),
        "target": target.pk,
        "contact": cast.installer.pk,
        "copies": "10",
        "order_number": "PO-77",
        "send_mail": "true",
        "attach_certificate": "false",
    } | changes
