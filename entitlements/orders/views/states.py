"""The page on which MOBOTIX changes the state of a line item (E3)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.items.shortcuts import load_item, shown
from entitlements.models import State
from entitlements.orders.forms.states import StateForm
from entitlements.orders.services.states import ALLOWED_CHANGES, change_state, everything_below
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import posted, submit


@requires(Permission.CHANGE_STATES)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_state(request: PortalRequest, pk: int) -> HttpResponse:
    """Offer the states that are allowed next, none for an obsolete item, and change the state (E3)."""
    item = load_item(request.user, pk)
    below = everything_below(item).count()
    form = StateForm(posted(request), actor=request.user, item=item, below=below)
    changed = submit(form, change_state, keyed=True, actor=request.user, item_id=pk)
    if changed is not None:
        messages.success(
            request, _("The line item is now “%(state)s”.") % {"state": State(changed.state).label}
        )
        return redirect("line_item_detail", pk=pk)
    is_final = not ALLOWED_CHANGES[State(item.state)]
    context = {"row": shown(request.user, item), "form": form, "is_final": is_final}
    return render(request, "entitlements/orders/line_item_state.html", context)
