"""Django's admin with a list of line items that has the columns, filters and order of List Entitlements."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest

from entitlements.models import LineItem


class BenchAdminSite(AdminSite):
    """Open to whoever has logged in: the portal knows no staff."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class LineItemAdmin(ModelAdmin):
    """Read with one join, as a good admin of line items would be."""

    list_display = (
        "activation_id",
        "entitlement",
        "product",
        "part_number",
        "quantity",
        "available",
        "starts_on",
        "expires_on",
        "state",
        "owner",
        "order_number",
    )
    list_select_related = ("entitlement", "product", "owner")
    list_filter = ("state", "product")
    list_per_page = settings.PAGE_SIZE
    ordering = ("-id",)
    search_fields = ("activation_id", "owner__name", "entitlement__order_number", "product__part_number")

    def part_number(self, item: LineItem) -> str:
        return item.product.part_number

    def order_number(self, item: LineItem) -> str:
        return item.entitlement.order_number

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


site = BenchAdminSite()
site.register(LineItem, LineItemAdmin)
