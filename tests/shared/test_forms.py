"""E7: forms that carry a key."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from mxportal.shared.forms import KEY_REUSED, KeyedForm


class Lunch(KeyedForm):
    """Something with several values for one field."""

    dishes = forms.MultipleChoiceField(choices=[("soup", "Soup"), ("bread", "Bread")])


def test_a_used_key_is_replaced_and_nothing_typed_is_lost() -> None:
    """E7: the page that says so can be sent again at once."""
    form = Lunch(QueryDict("key=old&dishes=soup&dishes=bread"))
    assert form.is_valid()
    form.add_service_error(ValidationError("Sent before.", code=KEY_REUSED))
    assert form["key"].value() not in ("old", "", None)
    assert form["dishes"].value() == ["soup", "bread"]


def test_another_refusal_keeps_the_key() -> None:
    """E7: the corrected form is the same request."""
    form = Lunch(QueryDict("key=old&dishes=soup"))
    assert form.is_valid()
    form.add_service_error(ValidationError({"dishes": "No soup today."}))
    assert form["key"].value() == "old"
