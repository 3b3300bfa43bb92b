"""The lines of "Activate many devices" out of a file or a pasted text: host ID, name, copies (L2)."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from entitlements.activation.services.activate import MOST_AT_ONCE
from entitlements.activation.services.activate_many_check import DeviceLine
from mxportal.shared.numbers import plain_amount
from mxportal.shared.spreadsheets import Row, file_rows, text_rows

COLUMNS = {
    "host_id": gettext_lazy("Host ID"),
    "name": gettext_lazy("Name"),
    "copies": gettext_lazy("Copies"),
}
# Bare of case, blanks, dashes and dots
KNOWN = {
    "host_id": "hostid host mac macaddress macadresse serial serialnumber seriennummer",
    "name": "name devicename device gerät gerätename kamera camera",
    "copies": "copies quantity qty count anzahl menge kopien stück",
}
_BY_NAME = {alias: name for name, aliases in KNOWN.items() for alias in aliases.split()}
ONE_COPY = "1"  # where nothing is said
AS_MANY = re.compile(r"[+-]?\d[\d.,'’\s]*")  # right or wrong: a name it is not


def read_file(file: IO[bytes], name: str) -> list[DeviceLine]:
    """Raises ValidationError with a sentence that says what to do."""
    return _lines(file_rows(file, name, most_columns=4 * len(COLUMNS), too_many=too_many_devices()))


def read_text(text: str) -> list[DeviceLine]:
    """The same out of a pasted text."""
    return _lines(text_rows(text))


def as_text(lines: Sequence[DeviceLine]) -> str:
    """As it could have been pasted; of the same lines it makes the same text."""
    rows = [
        [str(label) for label in COLUMNS.values()],
        *([line.host_id, line.name, line.copies] for line in lines),
    ]
    return "\n".join("\t".join(_one_cell(cell) for cell in row) for row in rows)


def _one_cell(text: str) -> str:
    text = " ".join(text.split())
    return '"' + text.replace('"', '""') + '"' if '"' in text else text


def _lines(rows: Iterator[Row]) -> list[DeviceLine]:
    filled = (cells for _number, cells in rows if any(cells))
    first = next(filled, None)
    if first is None:
        raise ValidationError(_("Enter at least one line."))
    places = _places(first)
    lines: list[DeviceLine] = []
    for cells in filled if places else chain([first], filled):
        lines.append(_by_names(cells, places) if places else _by_order(cells))
        if len(lines) > MOST_AT_ONCE:
            raise ValidationError(too_many_devices())
    if not lines:
        raise ValidationError(_("There are no lines below the names of the columns."))
    return lines


def too_many_devices() -> str:
    """Return the sentence that says how many devices one form takes."""
    return _("Enter from 1 to %(most)s devices.") % {"most": MOST_AT_ONCE}


def _places(header: Sequence[str]) -> dict[str, int]:
    """Where each column stands, by its name in the first line; empty where that line names none."""
    names = [_BY_NAME.get(re.sub(r"[\W_]", "", cell).casefold(), "") for cell in header]
    places = {name: names.index(name) for name in names if name}
    if places and "host_id" not in places:
        message = _("The first line must name the columns, and these are missing: %(columns)s.")
        raise ValidationError(message % {"columns": COLUMNS["host_id"]})
    return places


def _by_names(cells: Sequence[str], places: dict[str, int]) -> DeviceLine:
    values = {name: cells[place] for name, place in places.items() if place < len(cells)}
    return DeviceLine(
        host_id=values.get("host_id", ""),
        name=values.get("name", ""),
        copies=plain_amount(values.get("copies") or ONE_COPY),
    )


def _by_order(cells: Sequence[str]) -> DeviceLine:
    """Host ID, name, copies; of two cells the second is the copies where it is a number."""
    host_id, name, copies = [*cells, "", ""][:3]
    if not copies and AS_MANY.fullmatch(name):
        name, copies = "", name
    return DeviceLine(host_id=host_id, name=name, copies=plain_amount(copies or ONE_COPY))
