"""View → Email."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User, UserStatus
from entitlements.forms.fields import ReasonField
from entitlements.models import LineItem
from entitlements.predicates import needs_reason
from entitlements.services.mailing import parse_recipients
from mxportal.shared.forms import KeyedForm


class EmailForm(KeyedForm):
    """E9: recipients with commas between, prefilled with the contact."""

    recipients = forms.CharField(
        label=_("Ship-to email"),
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter at least one e-mail address.")},
        help_text=_("Add or remove addresses; put a comma between them."),
    )
    attach_certificate = forms.BooleanField(label=_("Attach certificate"), required=False)
    whole_entitlement = forms.BooleanField(label=_("All line items of this entitlement"), required=False)
    reason = ReasonField()

    def __init__(self, *args: Any, actor: User, item: LineItem, lines: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason(actor, item)
        if not needs_reason(actor, item):
            del self.fields["reason"]
        self.fields["recipients"].initial = (
            item.contact.email if item.contact.status == UserStatus.ACTIVE else ""
        )
        self.fields["whole_entitlement"].help_text = _("One e-mail brings all %(count)s of them.") % {
            "count": lines
        }
        if lines < 2:
            del self.fields["whole_entitlement"]

    def clean_recipients(self) -> list[str]:
        """The addresses, one by one."""
        return parse_recipients(self.cleaned_data["recipients"])
