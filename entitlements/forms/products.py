"""MOBOTIX's products."""

from django import forms
from django.utils.translation import gettext_lazy as _

from entitlements.models import Product
from mxportal.shared.forms import KeyedForm


class ProductForm(forms.ModelForm, KeyedForm):
    """E1: fields and labels of the model; the service saves."""

    class Meta:
        model = Product
        fields = (
            "part_number",
            "name_en",
            "name_de",
            "description_en",
            "description_de",
            "licence_model",
            "unit",
            "is_active",
        )
        widgets = {name: forms.Textarea(attrs={"rows": 3}) for name in ("description_en", "description_de")}
        help_texts = {
            "unit": _("What one copy is, for example “license” or “channel”."),
            "is_active": _("New entitlements can contain active products only."),
        }

    def validate_constraints(self) -> None:
        """The service says in a sentence at its field that a part number is taken."""


class ProductSearchForm(forms.Form):
    """By part number or name."""

    q = forms.CharField(label=_("Search"), required=False, max_length=100)
