"""The badges of line items (E3) and bulk splits."""

from django.utils.translation import gettext_lazy as _

from entitlements.models import BulkState, State
from mxportal.shared.badges import register_badge, register_choices

register_choices(
    {
        State.DRAFT: "draft",
        State.DEPLOYED: "deployed",
        State.INACTIVE: "inactive",
        State.OBSOLETE: "obsolete",
        BulkState.CHECKING: "draft",
        BulkState.READY: "inactive",
        BulkState.RUNNING: "draft",
        BulkState.DONE: "deployed",
        BulkState.MAILING: "draft",
        BulkState.UNDOING: "draft",
        BulkState.UNDONE: "obsolete",
        BulkState.FAILED: "expired",
        BulkState.DISCARDED: "obsolete",
    }
)
register_badge("to_correct", _("To be corrected"), "expired")
