"""The history and the lineage of one line item."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.items.history import timeline
from entitlements.items.listing import for_rows
from entitlements.items.rows import item_rows
from entitlements.lineage import lineage
from entitlements.models import LineItem


@requires(Permission.VIEW)
@require_safe
def line_item_history(request: PortalRequest, pk: int) -> HttpResponse:
    """What happened to one item, newest first, and the tree it belongs to; masked like everything else (E12)."""
    item = get_object_or_404(for_rows(LineItem.objects.visible_to(request.user)), pk=pk)
    after = request.GET.get("after", "")
    context = {
        "row": item_rows(request.user, [item])[0],
        "lineage": None if after else lineage(request.user, item),
        "timeline": timeline(request.user, item, after),
    }
    return render(request, "entitlements/line_item_history.html", context)
