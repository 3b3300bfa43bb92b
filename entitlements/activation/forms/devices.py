"""Forms of devices: the filter of the list, adding a device, and editing its details (L1)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from entitlements.activation.forms.hosts import DeviceWordsForm, HostForm
from entitlements.activation.services.devices import device_accounts
from entitlements.items.search import MIN_SEARCH_LENGTH
from entitlements.models import Device
from mxportal.shared.forms import NumberField
from mxportal.shared.text import lines_of_what_is_seen


class DeviceFilter(forms.Form):
    """The filters of the list of devices."""

    q = forms.CharField(
        label=_("Host ID, name or site"),
        max_length=100,
        required=False,
        widget=forms.SearchInput(
            attrs={"class": "form-control", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    account = NumberField(required=False, min_value=1, widget=forms.HiddenInput)

    def clean_q(self) -> str:
        """Check that the text is long enough for an index.

        Raises ValidationError.
        """
        text = self.cleaned_data["q"]
        if 0 < len(text) < MIN_SEARCH_LENGTH:
            raise ValidationError(_("Type at least 3 characters."), code="short")
        return text

    def filters(self) -> dict[str, Any]:
        """Return the filters as ``list_devices`` takes them."""
        return {"q": self.cleaned_data.get("q") or "", "account": self.cleaned_data.get("account")}

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return any(self.data.get(name) for name in self.fields)


def _notes() -> forms.CharField:
    return forms.CharField(
        label=_("Notes"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[lines_of_what_is_seen],
    )


class NewDeviceForm(HostForm):
    """A new device of the actor's account, or of an end customer that it sells to (L1)."""

    account = forms.CharField(
        label=_("Account ID"),
        max_length=30,
        widget=forms.TextInput(attrs={"list": "known-accounts", "autocomplete": "off"}),
        help_text=_("The owner of the device: your own account, or an end customer that you sell to."),
        error_messages={"required": _("Enter the Account ID.")},
    )
    notes = _notes()

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        del self.fields["host_id"].widget.attrs["list"]

    def clean_account(self) -> int:
        """Return the primary key of the account with the typed Account ID.

        Raises ValidationError.
        """
        typed = self.cleaned_data["account"].strip()
        account = device_accounts(self.actor).filter(account_id__iexact=typed).first()
        if account is None:
            raise ValidationError(
                _("You cannot add devices to the account with this ID. Choose an account from the list.")
            )
        return account.pk

    def service_data(self) -> dict[str, Any]:
        """Return the data for the service, which takes the account's primary key."""
        data = super().service_data()
        return data | {"account_id": data.pop("account")}


class DeviceForm(DeviceWordsForm):
    """The details of a device; its host ID cannot change (L1)."""

    notes = _notes()

    def __init__(self, *args: Any, device: Device, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (*self.details, "notes"):
            self.fields[name].initial = getattr(device, name)
