"""Fields that identify a device, and its details (L1)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from entitlements.activation.services.devices import HostId
from entitlements.identifiers.host_ids import HostIdType, guess_type
from entitlements.items.fields import CopiesField, ReasonMixin
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem
from mxportal.shared.forms import KeyedForm
from mxportal.shared.text import only_what_is_seen
from mxportal.shared.widgets import PlainSelect

MAX_TYPED_LENGTH = 100  # of the typed text; the host ID itself is shorter


def _words(label: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=100, validators=[only_what_is_seen])


class DeviceWordsForm(KeyedForm):
    """The name, model and site of a device."""

    name = _words(_("Name"))
    model = _words(_("Model"))
    site = _words(_("Site"))
    details = ("name", "model", "site")


class HostForm(DeviceWordsForm):
    """A device by its host ID, and the details of a new one."""

    host_id = forms.CharField(
        label=_("Host ID"),
        max_length=MAX_TYPED_LENGTH,
        validators=[only_what_is_seen],
        widget=forms.TextInput(
            attrs={
                "list": "known-devices",
                "autocomplete": "off",
                "spellcheck": "false",
                "class": "mx-host-id",
            }
        ),
        help_text=_("The MAC address or serial number on the device, for example 00:03:C5:AA:BB:CC."),
        error_messages={"required": _("Enter the host ID of the device.")},
    )
    host_id_type = forms.ChoiceField(
        label=_("Type of host ID"),
        required=False,
        choices=[("", _("Detect automatically")), *HostIdType.choices],
        widget=PlainSelect(attrs={"class": "form-select"}),
    )

    def clean(self) -> dict[str, Any]:
        """Check the host ID together with the other fields, so that all errors show at once."""
        if "host_id" in self.cleaned_data:
            try:
                self.host.normal  # noqa: B018 - raises
            except ValidationError as error:
                self.add_service_error(error)
        return self.cleaned_data

    @property
    def host(self) -> HostId:
        """The device as the services take it."""
        data = self.cleaned_data
        typed = data["host_id"]
        kind = HostIdType(data["host_id_type"]) if data.get("host_id_type") else guess_type(typed)
        return HostId(typed=typed, kind=kind, **{name: data.get(name, "") for name in self.details})

    def service_data(self) -> dict[str, Any]:
        """Return the data with the device as one value ``host``."""
        apart = ("host_id", "host_id_type", *self.details)
        rest = {name: value for name, value in super().service_data().items() if name not in apart}
        return rest | {"host": self.host}


class ActivateForm(ReasonMixin, HostForm):
    """How many copies of the item a device holds from now on (L2)."""

    copies = CopiesField(initial=1)
    offers_reason = False

    def __init__(self, *args: Any, actor: User, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=needs_reason(actor, item), **kwargs)
        label = _("Copies on this device (%(available)s available)")
        self.fields["copies"].label = label % {"available": item.available}
        self.fields["copies"].help_text = _("The total number of copies on the device from now on.")
