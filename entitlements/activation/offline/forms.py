"""Forms of offline activation: a request as file, as the text of its QR code, or typed field by field (L3)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from entitlements.activation.offline.request_files import (
    MAX_ID_LENGTH,
    MAX_NAME_LENGTH,
    MAX_REQUEST_BYTES,
    MAX_REQUESTS,
    ActivationRequest,
    Wanted,
    read_request,
    refuse_twice,
)
from entitlements.activation.offline.services import Step
from entitlements.identifiers.activation_ids import is_mistyped
from entitlements.identifiers.host_ids import HostIdType, normalise
from entitlements.items.checks import MAX_COPIES
from entitlements.items.fields import CopiesField, ReasonField
from mxportal.shared.drafts import Sent
from mxportal.shared.forms import KeptForm
from mxportal.shared.rows import changed_rows, typed_rows
from mxportal.shared.text import only_what_is_seen

FILE, TEXT, TYPED = "file", "text", "typed"
WAYS = (FILE, TEXT, TYPED)
DEVICE_FIELDS = ("host_id", "host_id_type", "device_name", "device_model")
PREFIX = "wanted"
ACTIVATE, RETURN = "activate", "return"
NOT_EMPTY = {"empty_permitted": False}


class WantedForm(forms.Form):
    """One Activation ID, and what to do with it."""

    activation_id = forms.CharField(
        label=_("Activation ID"),
        max_length=MAX_ID_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        ),
        error_messages={"required": _("Enter the Activation ID from the e-mail or the certificate.")},
    )
    what = forms.ChoiceField(
        label=_("What to do"),
        choices=[(ACTIVATE, _("Activate")), (RETURN, _("Return all copies"))],
        initial=ACTIVATE,
    )
    copies = CopiesField(
        label=_("Copies on this device"),
        required=False,
        initial=1,
        min_value=1,
        max_value=MAX_COPIES,
        help_text=_("The total number on the device, not only the additional copies."),
    )

    def clean_activation_id(self) -> str:
        """Check the ID for typing errors, without a look-up (E5).

        Raises ValidationError.
        """
        typed = self.cleaned_data["activation_id"]
        only_what_is_seen(typed)
        if is_mistyped(typed):
            raise ValidationError(
                _("This Activation ID has a typing error. Compare it with the e-mail or the certificate.")
            )
        return typed

    def clean(self) -> dict[str, Any]:
        """Require copies to activate."""
        data = self.cleaned_data
        if data.get("what") == ACTIVATE and data.get("copies") is None and "copies" not in self.errors:
            self.add_error("copies", _("Enter a number of copies."))
        return data

    def wanted(self) -> Wanted:
        """Return the row as a part of the request; 0 copies mean a return."""
        data = self.cleaned_data
        return Wanted(data["activation_id"], 0 if data["what"] == RETURN else data["copies"])


WantedFormSet = formset_factory(
    WantedForm, extra=0, min_num=1, validate_min=True, max_num=MAX_REQUESTS, absolute_max=MAX_REQUESTS
)


class OfflineForm(KeptForm):
    """All three ways on one page; the button that is pressed says which (``way``)."""

    file = forms.FileField(
        label=_("Request file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".json,application/json", "class": "form-control"}),
    )
    text = forms.CharField(
        label=_("Text of the QR code"),
        required=False,
        max_length=MAX_REQUEST_BYTES,
        widget=forms.Textarea(attrs={"rows": 4, "class": "form-control", "spellcheck": "false"}),
    )
    host_id = forms.CharField(
        label=_("Host ID"),
        required=False,
        max_length=MAX_NAME_LENGTH,
        help_text=_("The camera software shows it, for example 00:03:C5:AA:BB:CC."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    host_id_type = forms.ChoiceField(
        label=_("Type of host ID"), required=False, choices=HostIdType.choices, initial=HostIdType.MAC
    )
    device_name = forms.CharField(
        label=_("Name of the device"),
        required=False,
        max_length=MAX_NAME_LENGTH,
        validators=[only_what_is_seen],
        help_text=_("Optional, for example “Main entrance”."),
    )
    device_model = forms.CharField(
        label=_("Model"), required=False, max_length=MAX_NAME_LENGTH, validators=[only_what_is_seen]
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        files: MultiValueDict | None = None,
        *,
        way: str = FILE,
        initial: dict[str, Any] | None = None,
        rows: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(data, files, initial=initial)
        self.way = way
        judged = data if way == TYPED else None
        kept: list[Any] = rows or (_wanted_rows(data) if data else []) or [{}]
        self.rows: BaseFormSet = WantedFormSet(judged, prefix=PREFIX, initial=kept, form_kwargs=NOT_EMPTY)
        self.asked: ActivationRequest | None = None

    def clean(self) -> dict[str, Any]:
        """Read the request in the chosen way, and put its errors at its field."""
        readers = {FILE: self._uploaded, TEXT: self._scanned, TYPED: self._typed}
        if not self.errors:
            try:
                self.asked = readers[self.way]()
            except ValidationError as error:
                self.add_error(None if self.way == TYPED else self.way, error)
        return self.cleaned_data

    def _uploaded(self) -> ActivationRequest:
        file = self.cleaned_data["file"]
        if not file:
            raise ValidationError(_("Choose a file."))
        return read_request(file.read(MAX_REQUEST_BYTES + 1))

    def _scanned(self) -> ActivationRequest:
        text = self.cleaned_data["text"]
        if not text:
            raise ValidationError(_("Scan the QR code, or paste its text."))
        return read_request(text.encode())

    def _typed(self) -> ActivationRequest | None:
        kind = HostIdType(self.cleaned_data["host_id_type"] or HostIdType.MAC)
        try:
            host_id = normalise(self.cleaned_data["host_id"], kind)
        except ValidationError as error:
            self.add_error("host_id", error)
            host_id = ""
        if not self.rows.is_valid() or not host_id:
            return None
        wanted = tuple(row.wanted() for row in self.rows)
        refuse_twice(wanted)
        return ActivationRequest(
            host_id=host_id,
            host_id_type=kind,
            wanted=wanted,
            device_name=self.cleaned_data["device_name"],
            device_model=self.cleaned_data["device_model"],
        )

    def show_problems(self, steps: list[Step]) -> None:
        """Put each problem of a typed request at the field that can correct it."""
        for row, step in zip(self.rows, steps, strict=True):
            if step.problem:
                row.add_error("activation_id" if step.item is None else "copies", step.problem)


def typed_form(sent: Sent, *, way: str = TYPED) -> OfflineForm:
    """Return the form with the typed fields, valid or not, and with the row added or removed."""
    rows = changed_rows(_wanted_rows(sent), sent, dict)
    head = {name: sent[name] for name in (*DEVICE_FIELDS, "text") if name in sent}
    return OfflineForm(way=way, initial=head, rows=rows[:MAX_REQUESTS])


def _wanted_rows(data: QueryDict) -> list[dict[str, str]]:
    return typed_rows(data, PREFIX, WantedForm.base_fields, most=MAX_REQUESTS)


def form_of(asked: ActivationRequest) -> OfflineForm:
    """Return the form for a request that was read, to be changed field by field."""
    head = {name: getattr(asked, name) for name in DEVICE_FIELDS}
    rows = [
        {
            "activation_id": wanted.activation_id,
            "what": RETURN if wanted.is_return else ACTIVATE,
            "copies": wanted.copies or 1,
        }
        for wanted in asked.wanted
    ]
    return OfflineForm(way=TYPED, initial=head, rows=rows)


class ConfirmForm(KeptForm):
    """The request as it was previewed; MOBOTIX gives a reason (E13)."""

    request = forms.CharField(widget=forms.HiddenInput, max_length=MAX_REQUEST_BYTES)
    reason = ReasonField()

    def __init__(self, *args: Any, needs_reason: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not needs_reason:
            del self.fields["reason"]
