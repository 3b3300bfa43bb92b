"""Base classes of forms that write: a key against double sending (E7), and a place for a service's refusals."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.utils import ErrorDict

from mxportal.shared.drafts import Sent
from mxportal.shared.keys import new_key
from mxportal.shared.numbers import read_amount, typed_number

__all__ = [
    "KEY_REUSED",
    "AmountField",
    "KeptForm",
    "KeyedForm",
    "NumberField",
    "new_key",
]
KEY_REUSED = "key_reused"


class NumberField(forms.IntegerField):
    """A number that a page sends, such as a primary key, in ASCII digits.

    Django would read "2.000" as 2 and "５" as 5.
    """

    def to_python(self, value: Any) -> int | None:
        """Return the number. Raises ValidationError."""
        if value in self.empty_values or isinstance(value, int):
            return super().to_python(value)
        number = self.read(str(value))
        if number is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return number

    def read(self, text: str) -> int | None:
        """Return the number; None if the text is none."""
        return typed_number(text)


class AmountField(NumberField):
    """An amount that somebody types, without separators or with those of the reader's language (E18)."""

    def read(self, text: str) -> int | None:
        """Return the amount; None if the text is none."""
        return read_amount(text)


class KeptForm(forms.Form):
    """A form that may be bound to a draft (``shared.drafts``), which shows its refusals again."""

    @property
    def is_draft(self) -> bool:
        """Return whether the form is bound to what was sent before."""
        return getattr(self.data, "is_draft", False)

    @property
    def is_typed(self) -> bool:
        """Return whether the form is bound to what was typed and is not to be checked, as on the way Back."""
        return getattr(self.data, "is_typed", False)

    def full_clean(self) -> None:
        """Check what was sent; leave a draft unchecked, or show its errors again.

        A draft's file is gone, and a service is not asked again.
        """
        if self.is_typed:
            self._errors, self.cleaned_data = ErrorDict(), {}
            return
        refusals = getattr(self.data, "refusals", None)
        super().full_clean()
        if self.is_draft and refusals:
            self._errors = ErrorDict()
            for name, texts in refusals.items():  # by add_error, which gives each list the ID of its field
                self.add_error(None if name == NON_FIELD_ERRORS else name, texts)
        else:
            self.keep_refusals()

    def keep_refusals(self) -> None:
        """Keep the errors for the draft."""
        refusals = getattr(self.data, "refusals", None)
        if refusals is not None:
            refusals.update({name: [str(text) for text in texts] for name, texts in self.errors.items()})


class KeyedForm(KeptForm):
    """A form with a key. Bind it to the POST, and pass ``key`` to the service."""

    key = forms.CharField(widget=forms.HiddenInput, initial=new_key, max_length=64)

    def add_service_error(self, error: ValidationError) -> None:
        """Show a service's refusal at the field that it names, or above the form if there is no such field."""
        if not hasattr(error, "error_dict"):
            self._renew_key(error)
            self.add_error(None, error)
        else:
            for field, errors in error.error_dict.items():
                known = field in self.fields and field != NON_FIELD_ERRORS
                self.add_error(field if known else None, errors)
        self.keep_refusals()

    def _renew_key(self, error: ValidationError) -> None:
        """Give the form a new key if its key was used for something else, so that it can be sent."""
        if getattr(error, "code", "") == KEY_REUSED:
            if not isinstance(self.data, Sent):
                self.data = Sent.of(self.data)
            self.data[self.add_prefix("key")] = new_key()

    def service_data(self) -> dict[str, Any]:
        """Return the cleaned values without the key."""
        return {name: value for name, value in self.cleaned_data.items() if name != "key"}
