"""The entitlements' entries of the main menu."""

from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from mxportal.shared.navigation import Link, Menu, register_entry

register_entry(Link("home", _("Home")), order=10)
register_entry(
    Menu(
        _("Activation & Entitlements"),
        links=(
            Link("line_item_list", _("List Entitlements")),
            Link("device_list", _("Devices")),
            Link("offline_activation", _("Offline activation"), Permission.ACTIVATE),
            Link("bulk_split_list", _("Bulk splits")),
            Link("mail_list", _("E-mails")),
            Link("product_list", _("Products"), Permission.MANAGE_PRODUCTS),
            Link("entitlement_create", _("Create Entitlement"), Permission.CREATE_ENTITLEMENTS),
        ),
        prefixes=(
            "line_item",
            "entitlement",
            "mail_",
            "product",
            "bulk_split",
            "license",
            "offline",
            "device",
            "activation",
        ),
    ),
    order=20,
)
