"""Forms of View → Email, of the list of mails, and of correcting an address."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.forms.accounts import plain_helper
from accounts.models import User, UserStatus
from entitlements.activation.services.licenses import MAX_ATTACHED_LICENSES, MAX_SINGLE_FILES, valid_licenses
from entitlements.items.fields import ANY, ReasonMixin
from entitlements.items.predicates import needs_reason
from entitlements.items.search import MIN_SEARCH_LENGTH
from entitlements.mailing.services.queue import mailable, parse_recipients
from entitlements.models import LineItem
from entitlements.models.kinds import MailKind
from mxportal.shared.forms import KeyedForm, NumberField
from mxportal.shared.widgets import PlainSelect
from notifications.models import Status
from notifications.registry import kinds


class EmailForm(ReasonMixin, KeyedForm):
    """Recipients with commas between them, prefilled with the contact (E9)."""

    recipients = forms.CharField(
        label=_("Ship-to email"),
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter at least one e-mail address.")},
        help_text=_("Add or remove addresses; separate them with commas."),
    )
    attach_certificate = forms.BooleanField(label=_("Attach certificate"), required=False)
    attach_licenses = forms.BooleanField(
        label=_("Attach license files"),
        required=False,
        initial=True,
        help_text=_("One file for each activated device."),
    )
    whole_entitlement = forms.BooleanField(label=_("All line items of this entitlement"), required=False)
    offers_reason = False

    def __init__(self, *args: Any, actor: User, item: LineItem, lines: int, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=needs_reason(actor, item), **kwargs)
        self.fields["recipients"].initial = (
            item.contact.email if item.contact.status == UserStatus.ACTIVE else ""
        )
        self.fields["whole_entitlement"].help_text = _("One e-mail contains all %(count)s of them.") % {
            "count": lines
        }
        self._offer_licenses(item, lines)
        if lines < 2:
            del self.fields["whole_entitlement"]

    def _offer_licenses(self, item: LineItem, lines: int) -> None:
        """Offer license files if there are any; ticked if the item itself has some (L5)."""
        own = valid_licenses([item]).exists()
        field = self.fields["attach_licenses"]
        field.initial = own
        many = _("More than %(most)s files are sent as one ZIP archive, with at most the newest %(all)s.")
        numbers = {"most": MAX_SINGLE_FILES, "all": MAX_ATTACHED_LICENSES}
        field.help_text = f"{field.help_text} {many % numbers}"
        if not own and (lines < 2 or not valid_licenses(mailable(item)).exists()):
            del self.fields["attach_licenses"]

    def clean_recipients(self) -> list[str]:
        """Return the addresses as a list."""
        return parse_recipients(self.cleaned_data["recipients"])


class DayInput(forms.DateInput):
    """The browser's own calendar, which expects days in ISO 8601."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")

    def format_value(self, value: Any) -> str | None:
        """Return None for text that is no day: browsers do not show it, and log a warning."""
        try:
            return super().format_value(value) if value and parse_date(str(value)) else None
        except ValueError:
            return None


class AddressForm(KeyedForm):
    """The corrected address of a mail (N8)."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("The contact's address changes to this one, and the e-mail is sent to it."),
    )

    @property
    def helper(self) -> FormHelper:
        """Leave the form element to the page."""
        return plain_helper(Layout("email"))


class MailFilter(forms.Form):
    """Filters of the list of mails. Values that the form does not know are ignored."""

    q = forms.CharField(
        label=_("Recipient or subject"),
        max_length=200,
        required=False,
        widget=forms.SearchInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    status = forms.ChoiceField(
        label=_("Status"), choices=[ANY, *Status.choices], required=False, widget=PlainSelect
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, widget=PlainSelect)
    since = forms.DateField(label=pgettext_lazy("period", "From"), required=False, widget=DayInput)
    until = forms.DateField(label=pgettext_lazy("period", "Until"), required=False, widget=DayInput)
    item = NumberField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = [one for one in kinds() if one[0] != MailKind.LEDGER_HEAD or actor.account.is_mobotix]
        self.fields["kind"].choices = [ANY, *seen]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            select = isinstance(field.widget, forms.Select)
            field.widget.attrs |= {
                "class": "form-select" if select else "form-control",
                "id": f"filter-{name}",
            }
        self.is_valid()
        for name in set(self.errors) & {"q", "since", "until"}:
            self.fields[name].widget.attrs |= {
                "class": f"{self.fields[name].widget.attrs['class']} is-invalid",
                "aria-invalid": "true",
                "aria-describedby": "filter-error",
            }

    def clean_q(self) -> str:
        """Require three characters, which a trigram index needs."""
        text: str = self.cleaned_data["q"].strip()
        if 0 < len(text) < MIN_SEARCH_LENGTH:
            raise ValidationError(_("Type at least 3 characters."), code="short")
        return text

    def visible(self) -> list[forms.BoundField]:
        """Return the fields beside the search."""
        return [self[name] for name in ("status", "kind", "since", "until")]

    def filters(self) -> dict[str, Any]:
        """Return the arguments of ``list_mails``."""
        return {name: self.cleaned_data.get(name) or None for name in self.fields}

    def mistakes(self) -> list[str]:
        """Return the errors of typed fields. A choice that no select offers is ignored."""
        typed = ("q", "since", "until")
        return [str(error) for name in typed for error in self.errors.get(name, [])]

    @property
    def is_narrowed(self) -> bool:
        """Return whether a filter was set."""
        return any(self.filters().values()) or bool(self.mistakes())
