"""The plain select is Django's, only quicker."""

import pytest
from django import forms
from django.test.html import parse_html

from mxportal.shared.widgets import PlainSelect

pytestmark = pytest.mark.once

CHOICES = [("", "Any"), (1, "<One>"), (2, "Two & a half")]


@pytest.mark.parametrize("value", [None, "", 1, "2", "unknown"])
def test_it_is_the_same_html(value: object) -> None:
    """Values are escaped and chosen as Django's own widget does it."""
    attributes = {"id": "choose", "class": "form-select"}
    ours = PlainSelect(choices=CHOICES).render("product", value, attributes)
    theirs = forms.Select(choices=CHOICES).render("product", value, attributes)
    assert parse_html(ours) == parse_html(theirs)
