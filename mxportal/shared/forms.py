"""What every writing form has: a key against double sending (E7), and a place for what a service refuses."""

import secrets
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict

from mxportal.shared.numbers import read_amount, typed_number

KEY_REUSED = "key_reused"


def new_key() -> str:
    """A key for one form as it was shown: sent twice, it is done once."""
    return secrets.token_urlsafe(24)


class NumberField(forms.IntegerField):
    """A number of a page's own, such as a primary key: ASCII digits, where Django reads "2.000" as 2 and "５" as 5."""

    def to_python(self, value: Any) -> int | None:
        """Raises ValidationError."""
        if value in self.empty_values or isinstance(value, int):
            return super().to_python(value)
        number = self.read(str(value))
        if number is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return number

    def read(self, text: str) -> int | None:
        """None where it is no number."""
        return typed_number(text)


class AmountField(NumberField):
    """E18: an amount that somebody types, without separators or with those of the reader's language."""

    def read(self, text: str) -> int | None:
        """None where it is no amount."""
        return read_amount(text)


class KeyedForm(forms.Form):
    """A form that carries its key. Bind it to the POST; hand ``key`` to the service."""

    key = forms.CharField(widget=forms.HiddenInput, initial=new_key, max_length=64)

    def add_service_error(self, error: ValidationError) -> None:
        """Show what a service refused at the field that it names, or above the form where there is no such field."""
        if not hasattr(error, "error_dict"):
            self._renew_key(error)
            self.add_error(None, error)
            return
        for field, errors in error.error_dict.items():
            self.add_error(field if field in self.fields and field != NON_FIELD_ERRORS else None, errors)

    def _renew_key(self, error: ValidationError) -> None:
        """A key that did something else already is no dead end: what stands in the form is sent under a new one."""
        if getattr(error, "code", "") == KEY_REUSED:
            data = QueryDict(mutable=True)
            data.update(self.data)
            data[self.add_prefix("key")] = new_key()
            self.data = data

    def service_data(self) -> dict[str, Any]:
        """The cleaned values but for the key."""
        return {name: value for name, value in self.cleaned_data.items() if name != "key"}
