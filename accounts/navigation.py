"""The accounts' entry of the main menu."""

from django.utils.translation import gettext_lazy as _

from mxportal.shared.navigation import Link, Menu, register_entry

# allauth's pages are called account_…, too, but belong to the person and not to "Accounts & Users".
PERSONAL = ("account_login", "account_logout", "account_change_password", "account_reset_password")

register_entry(
    Menu(
        _("Accounts & Users"),
        links=(
            Link("account_list", _("List accounts")),
            Link("related_account_list", _("List related accounts")),
        ),
        prefixes=("account", "related_account", "user", "contact", "relation", "api_"),
        others=PERSONAL,
    ),
    order=30,
)
