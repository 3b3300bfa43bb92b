"""Forms for MOBOTIX's products."""

from django import forms
from django.forms.models import model_to_dict
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import model_fields
from entitlements.models import Product
from mxportal.shared.forms import KeyedForm

PRODUCT_FIELDS = (
    "part_number",
    "name_en",
    "name_de",
    "description_en",
    "description_de",
    "license_model",
    "unit",
    "is_active",
)


class ProductForm(KeyedForm):
    """A product, with fields, labels and limits of the model (E1). The service checks that the part number is free."""

    def __init__(self, data: QueryDict | None = None, *, product: Product | None) -> None:
        super().__init__(data, initial=model_to_dict(product or Product(), PRODUCT_FIELDS))
        self.fields.update(model_fields(Product, PRODUCT_FIELDS))
        for name in ("description_en", "description_de"):
            self.fields[name].widget.attrs["rows"] = 3
        self.fields["unit"].help_text = _("What one copy is, for example “license” or “channel”.")
        self.fields["is_active"].help_text = _("New entitlements can contain active products only.")


class ProductSearchForm(forms.Form):
    """Search by part number or name."""

    q = forms.CharField(label=_("Search"), required=False, max_length=100)
