"""Activate: one device."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from entitlements.forms.hosts import HostForm
from entitlements.items.fields import CopiesField, ReasonField
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem


class ActivateForm(HostForm):
    """L2: how many copies of the item a device holds from now on."""

    copies = CopiesField(initial=1)
    reason = ReasonField()

    def __init__(self, *args: Any, actor: User, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label = _("Copies on this device (%(available)s available)")
        self.fields["copies"].label = label % {"available": item.available}
        self.fields["copies"].help_text = _("As many as the device holds in total from now on.")
        self.fields["reason"].required = needs_reason(actor, item)
        if not needs_reason(actor, item):
            del self.fields["reason"]
