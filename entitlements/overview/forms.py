"""The search field and the filters of List Entitlements."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from entitlements.identifiers.activation_ids import is_mistyped
from entitlements.items.fields import ANY
from entitlements.items.listing import EXPIRED, TO_HAND_ON, Shown, Sort
from entitlements.items.search import MIN_SEARCH_LENGTH
from entitlements.models import Product, State
from mxportal.shared.widgets import PlainSelect

EXPIRING_SOON = 30  # days, besides the period of Home


def _within(days: int) -> str:
    return ngettext("Within %(days)s day", "Within %(days)s days", days) % {"days": days}


class ListFilter(forms.Form):
    """Filters of List Entitlements. Values that the form does not know are ignored."""

    q = forms.CharField(
        label=_("Search"),
        max_length=200,
        required=False,
        widget=forms.SearchInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    product = forms.ModelChoiceField(
        label=_("Product"),
        queryset=Product.objects.order_by("part_number"),
        required=False,
        widget=PlainSelect,
    )
    state = forms.ChoiceField(label=_("State"), required=False, widget=PlainSelect)
    expiring = forms.ChoiceField(label=_("Expiring"), required=False, widget=PlainSelect)
    sort = forms.ChoiceField(label=_("Sort"), choices=Sort.choices, required=False, widget=PlainSelect)
    shown = forms.ChoiceField(choices=Shown.choices, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        states = [choice for choice in State.choices if choice[0] != State.DRAFT or actor.account.is_mobotix]
        states += [(EXPIRED, _("Expired")), (TO_HAND_ON, _("With copies available"))]
        self.fields["state"].choices = [ANY, *states]  # type: ignore[attr-defined]
        days = sorted({EXPIRING_SOON, settings.EXPIRING_DAYS})
        self.fields["expiring"].choices = [ANY, *[(str(n), _within(n)) for n in days]]  # type: ignore[attr-defined]
        # Only names: a hundred instances of Product would cost as much as the rest of the page.
        self.fields["product"].choices = [ANY, *Product.objects.names()]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            select = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if select else "form-control"
            field.widget.attrs["id"] = f"filter-{name}"

    def clean_q(self) -> str:
        """Refuse a mistyped Activation ID before anything is looked up (E5)."""
        text = self.cleaned_data["q"].strip()
        if is_mistyped(text):
            raise ValidationError(
                _("This Activation ID has a typing error. Compare it with the e-mail or the certificate."),
                code="mistyped",
            )
        if 0 < len(text) < MIN_SEARCH_LENGTH:
            raise ValidationError(_("Type at least 3 characters."), code="short")
        return text

    def add_error(self, field: str | None, error: Any) -> None:
        """Mark the search field as wrong, visibly and for screen readers."""
        super().add_error(field, error)
        if field == "q":
            self.fields["q"].widget.attrs |= {
                "class": "form-control is-invalid",
                "aria-invalid": "true",
                "aria-describedby": "filter-q-error",
            }

    def selects(self) -> list[forms.BoundField]:
        """Return the fields beside the search."""
        return [self[name] for name in ("product", "state", "expiring", "sort")]

    @property
    def is_narrowed(self) -> bool:
        """Return whether more than the tab and the order narrow the list."""
        return any(self.value(name) for name in ("q", "product", "state", "expiring")) or "q" in self.errors

    @property
    def tab(self) -> str:
        """Return whose items are shown."""
        return str(self.value("shown"))

    @property
    def sorts_by_date(self) -> bool:
        """Return whether the list is sorted by expiration, so that neighbouring pages are not "newer" and "older"."""
        return self.value("sort") == Sort.EXPIRATION

    def filters(self) -> dict[str, Any]:
        """Return the arguments of ``list_items``, without the order."""
        values = {name: self.value(name) for name in self.fields if name != "sort"}
        return values | {"product": values["product"] or None}

    def value(self, name: str) -> Any:
        """Return the cleaned value; "" if it is missing or wrong."""
        return self.cleaned_data.get(name) or ""

    def as_query(self) -> dict[str, str]:
        """Return the filters as the list's address has them; never an Activation ID."""
        values = {name: self.value(name) for name in self.fields}
        values["product"] = getattr(values["product"], "pk", "")
        return {name: str(value) for name, value in values.items() if value}
