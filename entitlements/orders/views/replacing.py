"""The page Action → Replace Activation ID (E5)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.items.predicates import may_replace
from entitlements.items.shortcuts import deny_unless, load_party_item, shown
from entitlements.models import State
from entitlements.orders.forms.replacing import ReplaceForm
from entitlements.orders.services.replacing import replace_activation_id
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import posted, submit


@requires(Permission.REPLACE_IDS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_replace(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for the reason, and say what happens to the old ID (E5)."""
    item = load_party_item(request.user, pk)
    deny_unless(may_replace(request.user, item))
    form = ReplaceForm(posted(request), item=item)
    if submit(form, replace_activation_id, keyed=True, actor=request.user, item_id=pk) is None:
        context = {
            "row": shown(request.user, item),
            "form": form,
            "has_id": item.state not in (State.DRAFT, State.OBSOLETE),
        }
        return render(request, "entitlements/orders/line_item_replace.html", context)
    messages.success(request, _("The line item has a new Activation ID. The old one is no longer valid."))
    return redirect("line_item_detail", pk=pk)
