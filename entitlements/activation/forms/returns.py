"""Forms of Return, Rehost and Replace device (L4)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from entitlements.activation.forms.hosts import HostForm
from entitlements.items.fields import CopiesField, ReasonMixin
from entitlements.items.predicates import needs_reason
from entitlements.models import Activation, LineItem
from mxportal.shared.forms import KeyedForm


class ReturnForm(ReasonMixin, KeyedForm):
    """How many copies to return, initially all (L4)."""

    copies = CopiesField()

    def __init__(self, *args: Any, actor: User, activation: Activation, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=needs_reason(actor, activation.item), **kwargs)
        self.fields["copies"].initial = activation.copies
        label = _("Copies to return (%(copies)s on the device)")
        self.fields["copies"].label = label % {"copies": activation.copies}


class RehostForm(ReasonMixin, HostForm):
    """The other device, and how many copies to rehost, initially all (L4)."""

    copies = CopiesField()

    def __init__(self, *args: Any, actor: User, activation: Activation, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=needs_reason(actor, activation.item), **kwargs)
        self.fields["copies"].initial = activation.copies
        label = _("Copies to rehost (%(copies)s on the device)")
        self.fields["copies"].label = label % {"copies": activation.copies}


class ReplaceDeviceForm(ReasonMixin, HostForm):
    """The new device; the reason is kept with each movement (L4)."""

    def __init__(self, *args: Any, actor: User, items: list[LineItem], **kwargs: Any) -> None:
        needed = any(needs_reason(actor, item) for item in items)
        super().__init__(*args, needs_reason=needed, **kwargs)
