"""Form fields that accounts and users share."""

import zoneinfo
from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from mxportal.shared.text import only_what_is_seen

ADDRESS_FIELDS = ("street", "street2", "postal_code", "city", "region", "country")
YES_NO = (("yes", _("Yes")), ("no", _("No")))


class YesNoField(forms.TypedChoiceField):
    """A question with the answers Yes and No as in the manual; its value is a bool."""

    def __init__(self, **kwargs: Any) -> None:
        defaults = {"choices": YES_NO, "coerce": lambda answer: answer == "yes", "widget": forms.RadioSelect}
        super().__init__(**{"initial": False, **defaults, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        """Return the answer to mark for the model's bool."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value

    def clean(self, value: Any) -> Any:
        """Return the bool; a disabled field has its initial value, a bool, instead of an answer."""
        return super().clean(self.prepare_value(value))


def model_fields(model: type[models.Model], names: Iterable[str]) -> dict[str, forms.Field]:
    """Return the model's own form fields, with its labels, limits and help."""
    return forms.fields_for_model(model, fields=list(names), formfield_callback=_formfield)


def _formfield(field: "models.Field[Any, Any]", **kwargs: Any) -> forms.Field | None:
    if isinstance(field, models.URLField):
        kwargs["assume_scheme"] = "https"
    if isinstance(field, models.BooleanField) and field.name != "expiring_email":
        return YesNoField(label=field.verbose_name, help_text=field.help_text)
    made = field.formfield(**kwargs)
    if made:
        made.show_hidden_initial = False  # nothing compares a proposed value with the sent one
    if isinstance(made, forms.CharField):
        known = [*made.validators, only_what_is_seen]
        made.validators = known + [rule for rule in field.validators if rule not in known]
        # Browsers cut long texts silently: a message at the field is better.
        made.widget.attrs.pop("maxlength", None)
    return made


class TimeZoneField(forms.ChoiceField):
    """A region's time zone by its IANA name."""

    def __init__(self, *, present: str | None = None, **kwargs: Any) -> None:
        names = [name for name, __ in time_zones()]
        own = (
            [(present, present)] if present and present not in names else []
        )  # because the portal's own may be a technical one
        super().__init__(
            **{"label": _("Time zone"), "choices": own + time_zones(), "initial": present, **kwargs}
        )


@cache
def time_zones() -> list[tuple[str, str]]:
    """Return the zones of regions and cities, and UTC, without the technical ones."""
    regions = {
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
    names = sorted(name for name in zoneinfo.available_timezones() if name.split("/")[0] in regions)
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]
