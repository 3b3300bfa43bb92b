"""Forms of bulk splits: three ways to enter lines, and the steps that follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import Permission
from entitlements.bulk.files.columns import COLUMNS, OF_NEW_CUSTOMERS, columns_for, label_of
from entitlements.bulk.files.lines import read_file, read_text
from entitlements.bulk.pages import source_choices
from entitlements.bulk.services.jobs import lines_of
from entitlements.bulk.services.lines import LINE_FIELDS, BulkLine, with_plain_amount
from entitlements.items.fields import ReasonMixin
from entitlements.models import BulkSplit, LineItem, Origin
from mxportal.shared.forms import KeyedForm
from mxportal.shared.numbers import typed_number
from mxportal.shared.rows import typed_rows
from mxportal.shared.widgets import PlainSelect

MAX_LINES_ON_SCREEN = 50
EMPTY_LINES = 3
MAX_TEXT_LENGTH = 2_000_000
WAYS = (Origin.TABLE, Origin.FILE, Origin.PASTE)
Choices = Sequence[tuple[str, str]]


class LineForm(forms.Form):
    """One line on the screen. It checks nothing, because all lines are checked together.

    All lines of a table have the same columns, so ``asks_source`` is the same for all. ``index`` is the line's place
    among the lines of a draft. ``is_out`` says that the line, which is shown for correction, is left out.
    """

    def __init__(
        self,
        line: BulkLine,
        *,
        place: int,
        sources: Choices,
        asks_source: bool,
        errors: dict[str, str] | None = None,
        index: int = 0,
        is_out: bool = False,
    ) -> None:
        super().__init__(prefix=f"lines-{place}", initial=line.as_row())
        self.line, self.place, self.problems = line, place, errors or {}
        self.index, self.is_out = index, is_out
        for name, label in COLUMNS.items():
            if name != "activation_id":
                self.fields[name] = forms.CharField(label=label, required=False)
            elif asks_source:
                known = {value for value, _label in sources}
                typed = [(line.activation_id, line.activation_id)] if line.activation_id not in known else []
                choices = [("", _("Choose")), *[one for one in typed if one[0]], *sources]
                self.fields[name] = forms.ChoiceField(
                    label=_("Taken from"), choices=choices, required=False, widget=PlainSelect()
                )
        for name, field in self.fields.items():
            field.widget.attrs |= self._attributes(name, str(field.label))

    def _attributes(self, name: str, label: str) -> dict[str, str]:
        look = "form-select" if name == "activation_id" else "form-control"
        attributes = {"class": look, "aria-label": label, "autocomplete": "off"}
        if name == "amount":
            attributes |= {"inputmode": "numeric", "size": "6"}
        if name in ("account_id", "email"):
            attributes["list"] = f"known-{name}"
        if name in self.problems:
            attributes |= {"aria-invalid": "true", "aria-describedby": f"error-{self.place}-{name}"}
            attributes["class"] += " is-invalid"
        return attributes

    def cells(self) -> Iterable[dict[str, Any]]:
        """Return the cells of the row's columns."""
        return [self._cell(name) for name in self.fields if name not in OF_NEW_CUSTOMERS]

    def customer_cells(self) -> Iterable[dict[str, Any]]:
        """Return the cells of a new end customer, which are folded away while all of them are empty."""
        return [self._cell(name) for name in OF_NEW_CUSTOMERS]

    @property
    def has_customer(self) -> bool:
        """Return whether data of a new end customer is filled in or missing."""
        return any(getattr(self.line, name) or name in self.problems for name in OF_NEW_CUSTOMERS)

    def _cell(self, name: str) -> dict[str, Any]:
        return {"name": name, "field": self[name], "error": self.problems.get(name, "")}


def typed_lines(data: Mapping[str, Any]) -> list[BulkLine]:
    """Return the lines as they are on the screen, right or wrong; an empty line is ignored, but keeps its number."""
    rows = typed_rows(data, "lines", LINE_FIELDS, most=MAX_LINES_ON_SCREEN, total="total")
    return [
        with_plain_amount(number=number, **{name: text.strip() for name, text in row.items()})
        for number, row in enumerate(rows, start=1)
    ]


def is_empty(line: BulkLine) -> bool:
    """Return whether the line has no value, except perhaps its source."""
    return not any(getattr(line, name) for name in LINE_FIELDS if name != "activation_id")


class BulkSplitForm(KeyedForm):
    """The way and the lines of a bulk split; the button that was pressed is the way."""

    file = forms.FileField(
        label=_("CSV or XLSX file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx", "class": "form-control"}),
    )
    text = forms.CharField(
        label=_("Lines from a spreadsheet"),
        required=False,
        max_length=MAX_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6, "class": "form-control", "spellcheck": "false"}),
    )
    create_customers = forms.BooleanField(
        label=_("Create unknown end customers"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, actor: User, sources: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns_for(sources)
        self.lines: list[BulkLine] = []
        if not actor.may(Permission.CREATE_ACCOUNTS):
            del self.fields["create_customers"]
        self.fields["text"].strip = False  # type: ignore[attr-defined]  # a first empty column is one

    @property
    def column_names(self) -> str:
        """Return the order of columns of a pasted text without a header."""
        return ", ".join(label_of(name) for name in self.columns)

    @property
    def way(self) -> str:
        """Return how the lines are entered."""
        asked = self.data.get("way", "") if self.is_bound else str(self.initial.get("way", ""))
        return asked if asked in WAYS else Origin.TABLE

    def clean(self) -> dict[str, Any]:
        """Read the lines from the way that was chosen; report what is wrong with them as a whole at its field."""
        field = {Origin.FILE.value: "file", Origin.PASTE.value: "text"}.get(self.way)
        if field is None or field not in self.errors:
            try:
                self.lines = self._read()
            except ValidationError as error:
                self.add_error(field, error)
        return self.cleaned_data

    def _read(self) -> list[BulkLine]:
        if self.way == Origin.PASTE:
            return read_text(self.cleaned_data["text"], self.columns)
        if self.way == Origin.FILE:
            file = self.cleaned_data["file"]
            if not file:
                raise ValidationError(_("Choose a file."))
            return read_file(file, file.name)
        lines = [line for line in typed_lines(self.data) if not is_empty(line)]
        if not lines:
            raise ValidationError(_("Enter at least one line."))
        return lines

    def service_arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        data = self.cleaned_data
        return {
            "lines": self.lines,
            "origin": self.way,
            "file_name": data["file"].name if self.way == Origin.FILE else "",
            "create_customers": data.get("create_customers", False),
            "key": data["key"],
        }


class SeenForm(KeyedForm):
    """The version of a draft that the page shows (``BulkSplit.version``)."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)


@dataclass(frozen=True)
class TypedLine:
    """A wrong line as somebody corrected it, or left it out."""

    line: BulkLine
    is_out: bool


class CorrectionForm(SeenForm):
    """The wrong lines, each with its index; a tick leaves one out."""

    create_customers = forms.BooleanField(
        label=_("Create unknown end customers"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not actor.may(Permission.CREATE_ACCOUNTS):
            del self.fields["create_customers"]

    def service_data(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        data = {"create_customers": False} | super().service_data()
        corrections = {index: None if typed.is_out else typed.line for index, typed in self._typed().items()}
        return data | {"corrections": corrections}

    def typed_by_number(self) -> dict[int, TypedLine]:
        """Return what was typed by the line's number, which stays the same when earlier lines are left out."""
        return {typed.line.number: typed for typed in self._typed().values()}

    def _typed(self) -> dict[int, TypedLine]:
        """Return what was typed by the line's index."""
        found = {}
        for row, line in enumerate(typed_lines(self.data)):
            index = typed_number(self.data.get(f"lines-{row}-index", ""), digits=5)
            if index is not None:
                number = typed_number(self.data.get(f"lines-{row}-number", ""), digits=9) or 0
                found[index] = TypedLine(replace(line, number=number), f"lines-{row}-out" in self.data)
        return found


class CarryOutForm(SeenForm):
    """ "Split all", with "Send e-mail" ticked (E7)."""

    send_mail = forms.BooleanField(label=_("Send e-mail"), required=False, initial=True)
    attach_certificate = forms.BooleanField(label=_("Attach certificate"), required=False)


class EmailAllForm(KeyedForm):
    """ "Email all" (E9)."""

    attach_certificate = forms.BooleanField(label=_("Attach certificate"), required=False)


class UndoAllForm(ReasonMixin, KeyedForm):
    """ "Undo all", with a reason if one is needed (E8, E13)."""

    offers_reason = False


def wrong_lines(bulk: BulkSplit, sources: list[LineItem], typed: Mapping[int, TypedLine]) -> list[LineForm]:
    """Return forms of the first wrong lines, as in the draft or as ``typed`` on the screen, by their number."""
    lines, choices = lines_of(bulk), source_choices(sources)
    wrong = list(bulk.findings.get("lines", {}).items())[:MAX_LINES_ON_SCREEN]
    asks_source = len(sources) > 1 or any("activation_id" in errors for _index, errors in wrong)
    forms = []
    for place, (index, errors) in enumerate(wrong):
        line = lines[int(index)]
        line = replace(line, number=line.number or int(index) + 1)
        shown = typed.get(line.number, TypedLine(line, is_out=False))
        forms.append(
            LineForm(
                shown.line,
                place=place,
                sources=choices,
                asks_source=asks_source,
                errors=errors,
                index=int(index),
                is_out=shown.is_out,
            )
        )
    return forms
