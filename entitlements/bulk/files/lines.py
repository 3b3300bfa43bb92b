"""Read the lines of a bulk split from a file or a pasted text, up to the limit of lines."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from entitlements.bulk.files.columns import COLUMNS, REQUIRED, column_of, label_of
from entitlements.bulk.services.lines import MAX_BULK_LINES, BulkLine, too_many_lines, with_plain_amount
from mxportal.shared.spreadsheets import Row, file_rows, text_rows
from mxportal.shared.workbooks import MAX_ROWS

MAX_NAME_SHOWN = 60  # of a column, in a message


def read_file(file: IO[bytes], name: str) -> list[BulkLine]:
    """Return the lines of a CSV or XLSX file. Raises ValidationError with a sentence that says what to do."""
    return _lines(file_rows(file, name, most_columns=4 * len(COLUMNS), too_many=too_many_lines()))


def read_text(text: str, columns: Sequence[str] = tuple(COLUMNS)) -> list[BulkLine]:
    """Return the lines of a pasted text: like a file, or without a header in the order of ``columns``.

    Raises ValidationError with a sentence that says what to do.
    """
    rows = text_rows(text)
    first = next((row for row in rows if any(row[1])), None)
    if first is None:
        raise ValidationError(_("Enter at least one line."))
    if any(column_of(cell) for cell in first[1]):
        return _lines(chain([first], rows))
    return _lines(chain([(0, [label_of(name) for name in columns])], chain([first], rows)))


def _lines(rows: Iterator[Row]) -> list[BulkLine]:
    header = next((row for row in islice(rows, 100) if any(row[1])), None)
    if header is None:
        raise ValidationError(_("This file is empty."))
    places = _column_places(header[1])
    lines: list[BulkLine] = []
    for count, (number, cells) in enumerate(rows):
        if any(cells):
            lines.append(_line(number, cells, places))
        if len(lines) > MAX_BULK_LINES or count > MAX_ROWS:
            raise ValidationError(too_many_lines())
    if not lines:
        raise ValidationError(_("There are no lines below the names of the columns."))
    return lines


def _line(number: int, cells: Sequence[str], places: dict[str, int]) -> BulkLine:
    values = {name: cells[place] for name, place in places.items() if place < len(cells)}
    return with_plain_amount(number=number, **values)


def _column_places(header: Sequence[str]) -> dict[str, int]:
    """Return the place of each column by name; unknown columns are ignored."""
    places: dict[str, int] = {}
    for place, text in enumerate(header):
        name = column_of(text)
        if name in places:
            message = _("The columns “%(first)s” and “%(second)s” mean the same. Delete one of the two.")
            raise ValidationError(
                message % {"first": header[places[name]][:MAX_NAME_SHOWN], "second": text[:MAX_NAME_SHOWN]}
            )
        if name:
            places[name] = place
    missing = [label_of(name) for name in REQUIRED if name not in places]
    if missing:
        message = _("The first line must name the columns, and these are missing: %(columns)s.")
        raise ValidationError(message % {"columns": ", ".join(missing)})
    return places
