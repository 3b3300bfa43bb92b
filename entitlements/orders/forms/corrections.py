"""Forms with which MOBOTIX changes a quantity."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from entitlements.items.fields import CopiesField, ReasonMixin
from entitlements.models import LineItem
from entitlements.orders.services.corrections import Change, Correction, available_below, preview_correction
from mxportal.shared.forms import KeyedForm


class QuantityForm(ReasonMixin, KeyedForm):
    """Direction, number of copies, and reason of a correction (E15)."""

    correction = forms.TypedChoiceField(
        label=_("Change the quantity"),
        choices=Correction.choices,
        coerce=Correction,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what to do.")},
    )
    copies = CopiesField(label=_("By how many copies"), required=False)

    def __init__(self, *args: Any, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item = item
        self.fields["correction"].widget.choices = list(self._offered(item))

    def _offered(self, item: LineItem) -> Any:
        """Yield the possible corrections.

        The service judges what was sent: the request may already be carried out (E7).
        """
        if item.parent_id is None:
            yield Correction.RAISE.value, _("Raise it")
        lower = _("Lower it (%(available)s available)") % {"available": item.available}
        yield Correction.LOWER.value, lower
        copies, items = available_below(item)
        if items > 1 or copies > item.available:
            sentence = ngettext(
                "Revoke every available copy of this item and of everything split from it: %(copies)s copy",
                "Revoke every available copy of this item and of everything split from it: %(copies)s copies",
                copies,
            )
            yield Correction.REVOKE_ALL.value, sentence % {"copies": copies}

    def clean(self) -> dict[str, Any]:
        """Require a number of copies, except for "revoke all"."""
        data = self.cleaned_data
        if data.get("correction") == Correction.REVOKE_ALL:
            data["copies"] = 0
        elif "copies" in data and data["copies"] is None:
            self.add_error("copies", _("Enter a number of copies."))
        return data


class CheckedQuantityForm(QuantityForm):
    """The form of the preview, which reports what the service would refuse."""

    changes: list[Change]

    def clean(self) -> dict[str, Any]:
        """Compute the changes at each level (E15)."""
        data = super().clean()
        if not self.errors:
            try:
                self.changes = preview_correction(
                    item=self.item, correction=data["correction"], copies=data["copies"]
                )
            except ValidationError as error:
                self.add_service_error(error)
        return data
