"""The pages for MOBOTIX's products (E1)."""

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.models import Product
from entitlements.orders.forms.products import ProductForm, ProductSearchForm
from entitlements.orders.services.products import save_product
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.pagination import paginate
from mxportal.shared.views import posted, submit


@requires(Permission.MANAGE_PRODUCTS)
@require_safe
def product_list(request: PortalRequest) -> HttpResponse:
    """List products, newest first, with a search by part number or name."""
    search = ProductSearchForm(request.GET)
    typed = search.cleaned_data["q"] if search.is_valid() else ""
    page = paginate(request, _matching(typed), order=("-id",))
    return render(
        request, "entitlements/orders/product_list.html", {"page": page, "search": search, "typed": typed}
    )


def _matching(text: str) -> QuerySet[Product]:
    names = Q(name_en__icontains=text) | Q(name_de__icontains=text)
    return Product.objects.filter(Q(part_number__icontains=text) | names) if text else Product.objects.all()


@requires(Permission.MANAGE_PRODUCTS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def product_create(request: PortalRequest) -> HttpResponse:
    """Create a product."""
    return _edit(request, None)


@requires(Permission.MANAGE_PRODUCTS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def product_edit(request: PortalRequest, pk: int) -> HttpResponse:
    """Change a product."""
    return _edit(request, get_object_or_404(Product, pk=pk))


def _edit(request: PortalRequest, product: Product | None) -> HttpResponse:
    number = product.pk if product else None
    form = ProductForm(posted(request), product=product)
    saved = submit(form, save_product, keyed=True, actor=request.user, product_id=number)
    if saved is None:
        return render(
            request, "entitlements/orders/product_form.html", {"form": form, "is_new": number is None}
        )
    messages.success(request, _("Product %(part_number)s is saved.") % {"part_number": saved.part_number})
    return redirect("product_list")
