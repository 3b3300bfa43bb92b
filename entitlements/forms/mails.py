"""The search field and the filters of the list of mails."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.forms.accounts import plain_helper
from accounts.models import User
from entitlements.forms.filters import ANY
from entitlements.items.search import SHORTEST
from entitlements.ledger.sealing.publishing import LEDGER_HEAD
from mxportal.shared.forms import KeyedForm, NumberField
from mxportal.shared.widgets import PlainSelect
from notifications.models import Status
from notifications.registry import kinds


class DayInput(forms.DateInput):
    """The browser's own calendar, which wants days as ISO 8601 writes them."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")

    def format_value(self, value: Any) -> str | None:
        """Nothing where it is no day: a browser shows none of it, and complains in its console."""
        try:
            return super().format_value(value) if value and parse_date(str(value)) else None
        except ValueError:
            return None


class AddressForm(KeyedForm):
    """N8: the address that a mail should have gone to."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("The contact gets this address, and the e-mail goes there."),
    )

    @property
    def helper(self) -> FormHelper:
        """The page writes the form element."""
        return plain_helper(Layout("email"))


class MailFilter(forms.Form):
    """What the list of mails is narrowed to. Values that it does not know are as good as none."""

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
        seen = [one for one in kinds() if one[0] != LEDGER_HEAD or actor.account.is_mobotix]
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
        """A trigram index needs three characters."""
        text: str = self.cleaned_data["q"].strip()
        if 0 < len(text) < SHORTEST:
            raise ValidationError(_("Type at least 3 characters."), code="short")
        return text

    def visible(self) -> list[forms.BoundField]:
        """The fields beside the search."""
        return [self[name] for name in ("status", "kind", "since", "until")]

    def filters(self) -> dict[str, Any]:
        """The values for ``list_mails``."""
        return {name: self.cleaned_data.get(name) or None for name in self.fields}

    def mistakes(self) -> list[str]:
        """What has to be typed otherwise. A choice that no select offers narrows nothing."""
        typed = ("q", "since", "until")
        return [str(error) for name in typed for error in self.errors.get(name, [])]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for."""
        return any(self.filters().values()) or bool(self.mistakes())
