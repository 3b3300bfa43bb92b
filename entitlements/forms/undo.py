"""Undo split, and handing copies back."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from entitlements.items.fields import CopiesField, ReasonField
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem
from mxportal.shared.forms import KeyedForm


class UndoForm(KeyedForm):
    """E8: how many copies come back, prefilled with all that can."""

    copies = CopiesField()
    reason = ReasonField()

    def __init__(self, *args: Any, actor: User, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["copies"].initial = item.available
        self.fields["copies"].label = _("Copies to take back (of %(available)s available)") % {
            "available": item.available
        }
        self.fields["reason"].required = needs_reason(actor, item)
