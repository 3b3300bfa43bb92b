"""The handbook's entry of the main menu."""

from django.utils.translation import gettext_lazy as _

from mxportal.shared.navigation import Link, register_entry

register_entry(
    Link("handbook_index", _("Help"), pages=("handbook_page", "handbook_mobotix_page")),
    order=40,
)
