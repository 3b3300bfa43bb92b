"""Undo split, and the buyer's handing back (E8)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.activation.pages.rows import rows_of_item
from entitlements.forms.undo import UndoForm
from entitlements.item_page import ACTIVATIONS_SHOWN
from entitlements.items.predicates import may_undo
from entitlements.items.rows import item_rows
from entitlements.items.shortcuts import SPLITS_SHOWN, load_party_item, shown
from entitlements.models import LineItem
from entitlements.obstacles import undo_obstacle
from entitlements.services.undo import undo_split
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import posted, submit


@requires(Permission.UNDO_SPLIT)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_undo(request: PortalRequest, pk: int) -> HttpResponse:
    """Asks how many copies come back, and says what stands in the way of the others."""
    item = load_party_item(request.user, pk)
    form = UndoForm(posted(request), actor=request.user, item=item)
    if submit(form, undo_split, keyed=True, actor=request.user, item_id=pk) is None:
        return _show(request, item, form)
    _say_done(request, form.cleaned_data["copies"])
    return redirect("line_item_detail", pk=pk)


def _say_done(request: PortalRequest, copies: int) -> None:
    sentence = ngettext(
        "%(copies)s copy has gone back to the line item that it was split from.",
        "%(copies)s copies have gone back to the line item that they were split from.",
        copies,
    )
    messages.success(request, sentence % {"copies": copies})


def _show(request: PortalRequest, item: LineItem, form: UndoForm) -> HttpResponse:
    item.refresh_from_db(fields=["quantity", "available", "split", "activated", "state"])
    further = LineItem.objects.visible_to(request.user).filter(parent=item, quantity__gt=0)
    splits = further.select_related("product", "entitlement").order_by("-pk")
    context = {
        "row": shown(request.user, item),
        "form": form,
        "obstacle": undo_obstacle(request.user, item),
        "hand_back": not may_undo(request.user, item),
        "activations": rows_of_item(request.user, item, ACTIVATIONS_SHOWN),
        "splits": item_rows(request.user, splits[:SPLITS_SHOWN]),
    }
    return render(request, "entitlements/line_item_undo.html", context)
