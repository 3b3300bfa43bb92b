"""The page of one entitlement: a heading over its line items."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.entitlement_page import entitlement_page
from entitlements.items.listing import NEWEST, for_rows
from entitlements.items.rows import item_rows
from entitlements.models import Entitlement, LineItem
from mxportal.shared.pagination import paginate


@requires(Permission.VIEW)
@require_safe
def entitlement_detail(request: PortalRequest, pk: int) -> HttpResponse:
    """E7: one order and those of its lines that the reader sees."""
    entitlement = get_object_or_404(Entitlement.objects.visible_to(request.user), pk=pk)
    lines = for_rows(LineItem.objects.visible_to(request.user)).filter(entitlement=entitlement)
    page = paginate(request, lines.select_related("contact"), order=NEWEST)
    context = {
        "this": entitlement_page(request.user, entitlement, page.items),
        "page": page,
        "rows": item_rows(request.user, page.items),
    }
    return render(request, "entitlements/entitlement_detail.html", context)
