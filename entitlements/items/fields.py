"""Form fields for steps of a line item; each shows the typed text again, whatever it was."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mxportal.shared.forms import AmountField, NumberField
from mxportal.shared.text import only_what_is_seen


class CopiesField(AmountField):
    """A number of copies; the service checks its limits.

    It is a text input, because a browser's number input drops text that is not a number.
    """

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        messages = {
            "required": _("Enter a number of copies."),
            "invalid": _("Enter a whole number, for example 5 or 2,000."),
        }
        super().__init__(error_messages=messages, **kwargs)
        self.widget.attrs |= {
            "inputmode": "numeric",
            "autocomplete": "off",
            "size": "14",
            "class": "w-auto mx-num",
        }


class ReasonField(forms.CharField):
    """The reason for a step, which MOBOTIX must give where it acts on what others sold (E13)."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Reason"),
            max_length=500,
            required=False,
            validators=[only_what_is_seen],
            help_text=_("It is kept in the history."),
        )
        self.error_messages["required"] = _("Enter why MOBOTIX does this. The reason is kept in the history.")


class ReasonMixin(forms.Form):
    """A form that asks for a reason; without a ``field_order`` it is the last field (E13).

    ``offers_reason`` says whether the form has the field, as an optional one, where no reason is needed.
    """

    reason = ReasonField()
    offers_reason = True

    def __init__(self, *args: Any, needs_reason: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason
        if not needs_reason and not self.offers_reason:
            del self.fields["reason"]
        if self.field_order is None:
            self.order_fields([name for name in self.fields if name != "reason"])


class DayField(forms.DateField):
    """A day, chosen in the browser's calendar."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        messages = {"invalid": _("Enter a date, for example 2027-01-31.")}
        super().__init__(widget=widget, error_messages=messages | kwargs.pop("error_messages", {}), **kwargs)


class ChosenField(NumberField):
    """The primary key that the picker dialog chose; view and service look it up again."""

    widget = forms.HiddenInput

    def __init__(self, missing: Any, **kwargs: Any) -> None:
        super().__init__(error_messages={"required": missing, "invalid": missing}, **kwargs)


ANY = ("", _("Any"))
