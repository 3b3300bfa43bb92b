"""Reading of the lines of "Activate many devices" from a file or a pasted text: host ID, name, copies (L2)."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from entitlements.activation.services.activate import MAX_DEVICES
from entitlements.activation.services.activate_many_check import DeviceLine
from mxportal.shared.numbers import plain_amount
from mxportal.shared.spreadsheets import Row, file_rows, text_rows

COLUMNS = {
    "host_id": gettext_lazy("Host ID"),
    "name": gettext_lazy("Name"),
    "copies": gettext_lazy("Copies"),
}
# in lower case, without blanks, dashes and dots
COLUMN_ALIASES = {
    "host_id": "hostid host mac macaddress macadresse serial serialnumber seriennummer",
    "name": "name devicename device gerät gerätename kamera camera",
    "copies": "copies quantity qty count anzahl menge kopien stück",
}
_BY_NAME = {alias: name for name, aliases in COLUMN_ALIASES.items() for alias in aliases.split()}
DEFAULT_COPIES = "1"  # where the line has no copies
LIKE_A_NUMBER = re.compile(r"[+-]?\d[\d.,'’\s]*")  # valid or not, it is no name


def read_file(file: IO[bytes], name: str) -> list[DeviceLine]:
    """Return the lines of a CSV or XLSX file.

    Raises ValidationError with a sentence that says what to do.
    """
    return _lines(file_rows(file, name, most_columns=4 * len(COLUMNS), too_many=too_many_devices()))


def read_text(text: str) -> list[DeviceLine]:
    """Return the lines of a pasted text.

    Raises ValidationError like ``read_file``.
    """
    return _lines(text_rows(text))


def as_text(lines: Sequence[DeviceLine]) -> str:
    """Return the lines as text that could be pasted; the same lines give the same text."""
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
        if len(lines) > MAX_DEVICES:
            raise ValidationError(too_many_devices())
    if not lines:
        raise ValidationError(_("There are no lines below the names of the columns."))
    return lines


def too_many_devices() -> str:
    """Return the sentence that says how many devices one form accepts."""
    return _("Enter 1 to %(most)s devices.") % {"most": MAX_DEVICES}


def _places(header: Sequence[str]) -> dict[str, int]:
    """Return the place of each column by its name in the first line; empty where the line names no column.

    Raises ValidationError where it names columns, but not the host ID.
    """
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
        copies=plain_amount(values.get("copies") or DEFAULT_COPIES),
    )


def _by_order(cells: Sequence[str]) -> DeviceLine:
    """Return the line of cells in order: host ID, name, copies.

    Of two cells the second is copies if it is a number, and else the name.
    """
    host_id, name, copies = [*cells, "", ""][:3]
    if not copies and LIKE_A_NUMBER.fullmatch(name):
        name, copies = "", name
    return DeviceLine(host_id=host_id, name=name, copies=plain_amount(copies or DEFAULT_COPIES))
