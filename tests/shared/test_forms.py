"""E7: forms that carry a key."""

import pytest
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict

from mxportal.shared.drafts import Sent
from mxportal.shared.forms import KEY_REUSED, KeyedForm

pytestmark = pytest.mark.once


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


def test_what_a_draft_was_refused_for_stands_at_its_field() -> None:
    """Each list of errors has the ID of its own field, which its input names in aria-describedby."""
    sent = Sent.of(QueryDict("key=old&dishes=soup"))
    sent.is_draft = True
    sent.refusals = {"dishes": ["No soup today."], NON_FIELD_ERRORS: ["Try again later."]}
    form = Lunch(sent)
    assert form.errors["dishes"] == ["No soup today."]
    assert form.errors["dishes"].field_id == "id_dishes"
    assert form.non_field_errors() == ["Try again later."]
