"""The page Action → Change quantity (E15)."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.items.listing import for_rows
from entitlements.items.rows import ItemRow, item_rows
from entitlements.items.shortcuts import load_item, shown
from entitlements.models import LineItem
from entitlements.orders.forms.corrections import CheckedQuantityForm, QuantityForm
from entitlements.orders.services.corrections import Change, change_quantity
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import posted, submit

LEVELS_SHOWN = 30


@dataclass(frozen=True)
class ChangeRow:
    """One line of the preview."""

    row: ItemRow
    change: Change


@requires(Permission.CORRECT_QUANTITIES)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_quantity(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask how many copies, preview each level, then change; the button that was pressed decides which (E15)."""
    item = load_item(request.user, pk)
    sent = posted(request)
    if sent is None:
        return _show(request, item, QuantityForm(item=item))
    if sent.is_typed or sent.get("step") == "back":
        return _show(request, item, QuantityForm(item=item, initial=sent.dict()))
    if sent.get("step") == "change" and not (sent.is_draft and not sent.refusals):
        return _change(request, item)
    form = CheckedQuantityForm(sent, item=item)
    return _preview(request, item, form) if form.is_valid() else _show(request, item, form)


def _show(request: PortalRequest, item: LineItem, form: QuantityForm) -> HttpResponse:
    context = {"row": shown(request.user, item), "form": form}
    return render(request, "entitlements/orders/line_item_quantity.html", context)


def _preview(request: PortalRequest, item: LineItem, form: CheckedQuantityForm) -> HttpResponse:
    changes = {change.item.pk: change for change in form.changes[:LEVELS_SHOWN]}
    items = for_rows(LineItem.objects.visible_to(request.user)).filter(pk__in=changes).order_by("pk")
    context = {
        "row": shown(request.user, item),
        "form": form,
        "changes": [ChangeRow(row, changes[row.pk]) for row in item_rows(request.user, items)],
        "more": len(form.changes) - len(changes),
    }
    return render(request, "entitlements/orders/line_item_quantity_preview.html", context)


def _change(request: PortalRequest, item: LineItem) -> HttpResponse:
    form = QuantityForm(posted(request), item=item)
    changed = submit(form, change_quantity, keyed=True, actor=request.user, item_id=item.pk)
    if changed is None:
        item.refresh_balances()
        return _show(request, item, form)
    messages.success(request, _("The quantity is now %(quantity)s.") % {"quantity": changed.quantity})
    return redirect("line_item_detail", pk=item.pk)
