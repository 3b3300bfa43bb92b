"""The badges of accounts, users and API tokens."""

from django.utils.translation import gettext_lazy as _

from accounts.models.account import AccountStatus
from mxportal.shared.badges import register_badge, register_choices

# Users have the same two states.
register_choices({AccountStatus.ACTIVE: "deployed", AccountStatus.INACTIVE: "inactive"})
register_badge("revoked", _("Revoked"), "obsolete")
register_badge("suspended", _("Suspended"), "inactive")
