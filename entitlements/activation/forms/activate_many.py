"""The form of "Activate many devices": lines by paste or file, their check, and the activation of all (L2)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from entitlements.activation.files import as_text, read_file, read_text
from entitlements.activation.services.activate_many_check import CheckedLine, DeviceLine, check_lines
from entitlements.items.fields import ReasonMixin
from entitlements.items.predicates import needs_reason
from entitlements.models import LineItem
from mxportal.shared.drafts import Sent
from mxportal.shared.forms import KeyedForm

MAX_TEXT_LENGTH = 200_000


class ActivateManyForm(ReasonMixin, KeyedForm):
    """The lines as text or file; a file replaces the text, and its lines become the text, to be corrected."""

    text = forms.CharField(
        label=_("Lines from a spreadsheet"),
        required=False,
        strip=False,
        max_length=MAX_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 10, "class": "mx-host-lines", "spellcheck": "false"}),
        help_text=_(
            "One device per line: host ID, name, copies. The name is optional; without a number of copies, it is 1."
        ),
    )
    file = forms.FileField(
        label=_("CSV or XLSX file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    offers_reason = False

    def __init__(self, *args: Any, actor: User, item: LineItem, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=needs_reason(actor, item), **kwargs)
        self.actor, self.item = actor, item
        self.lines: list[DeviceLine] = []
        self.checked: list[CheckedLine] = []

    def clean(self) -> dict[str, Any]:
        """Read and check each line; errors of the lines as a whole are put at their field."""
        field = "file" if self.cleaned_data.get("file") else "text"
        if field in self.errors:
            return self.cleaned_data
        try:
            self.lines = self._read()
        except ValidationError as error:
            self.add_error(field, error)
            return self.cleaned_data
        self.checked = check_lines(actor=self.actor, item=self.item, lines=self.lines)
        if not isinstance(self.data, Sent):
            self.data = Sent.of(self.data)
        self.data["text"] = as_text(self.lines)
        return self.cleaned_data

    def _read(self) -> list[DeviceLine]:
        file = self.cleaned_data.get("file")
        return read_file(file, file.name) if file else read_text(self.cleaned_data["text"])

    @property
    def wrong(self) -> int:
        """How many lines must be corrected."""
        return sum(bool(one.problems) for one in self.checked)

    @property
    def copies(self) -> int:
        """How many more copies the devices will hold in total."""
        return sum(one.change for one in self.checked)

    def service_data(self) -> dict[str, Any]:
        """Return the lines as the service takes them; the check has ensured that each has a number."""
        reason = {name: value for name, value in self.cleaned_data.items() if name == "reason"}
        return {"lines": [(line.host, line.number or 0) for line in self.lines], **reason}
