"""View → Email."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User, UserStatus
from entitlements.activation.services.licenses import MOST_ATTACHED, MOST_FILES, valid_licenses
from entitlements.items.fields import ReasonField
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem
from entitlements.services.mailing import mailable, parse_recipients
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
    attach_licenses = forms.BooleanField(
        label=_("Attach license files"),
        required=False,
        initial=True,
        help_text=_("One file for each device that is activated."),
    )
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
        self._offer_licenses(item, lines)
        if lines < 2:
            del self.fields["whole_entitlement"]

    def _offer_licenses(self, item: LineItem, lines: int) -> None:
        """L5: where there are any; ticked where the item itself has some."""
        own = valid_licenses([item]).exists()
        field = self.fields["attach_licenses"]
        field.initial = own
        many = _("More than %(most)s come as one ZIP archive, the newest %(all)s at most.")
        numbers = {"most": MOST_FILES, "all": MOST_ATTACHED}
        field.help_text = f"{field.help_text} {many % numbers}"
        if not own and (lines < 2 or not valid_licenses(mailable(item)).exists()):
            del self.fields["attach_licenses"]

    def clean_recipients(self) -> list[str]:
        """The addresses, one by one."""
        return parse_recipients(self.cleaned_data["recipients"])
