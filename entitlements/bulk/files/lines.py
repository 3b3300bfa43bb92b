"""The lines of a bulk split out of a file or a pasted text. Nothing of it is trusted: neither size nor form.

A file is read to the limit of lines and no further, and a workbook's uncompressed size is known before it is opened.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from entitlements.bulk.files.columns import COLUMNS, REQUIRED, column_of, label_of
from entitlements.bulk.services.check import too_many_lines
from entitlements.bulk.services.lines import MOST_LINES, BulkLine, with_plain_amount
from mxportal.shared.workbooks import MOST_ROWS, with_macros, workbook_rows

LARGEST_FILE = 5 * 1024 * 1024
DELIMITERS = (";", "\t", ",")
DECLARED = re.compile(r"sep=([;,\t])(?:\r\n?|\n)", re.IGNORECASE)
ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")  # the last one knows every byte
LONGEST_NAME = 60  # of a column, in a sentence
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
Row = tuple[int, Sequence[str]]


def read_file(file: IO[bytes], name: str) -> list[BulkLine]:
    """The lines of a CSV or XLSX file. Raises ValidationError with a sentence that says what to do."""
    return _lines(file_rows(file, name))


def file_rows(file: IO[bytes], name: str) -> Iterator[Row]:
    """The rows of a CSV or XLSX file with their numbers, whatever they are about. Raises ValidationError."""
    ending = name.rpartition(".")[2].casefold()
    if ending not in READERS:
        raise ValidationError(_wrong_ending(ending))
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValidationError(_("This file is larger than 5 MB. Split it into several files."))
    return READERS[ending](content)


def read_text(text: str, columns: Sequence[str] = tuple(COLUMNS)) -> list[BulkLine]:
    """The lines of a pasted text: as a file, or without a header in the order of ``columns``."""
    rows = text_rows(text)
    first = next((row for row in rows if any(row[1])), None)
    if first is None:
        raise ValidationError(_("Enter at least one line."))
    if any(column_of(cell) for cell in first[1]):
        return _lines(chain([first], rows))
    return _lines(chain([(0, [label_of(name) for name in columns])], chain([first], rows)))


def _wrong_ending(ending: str) -> str:
    if ending in ("xlsm", "xltm", "xlsb"):
        return with_macros()
    return _("Choose a CSV or XLSX file. Other files, such as XLS or PDF, cannot be read.")


# --- Text -------------------------------------------------------------------------------------------------------------


def _csv_rows(content: bytes) -> Iterator[Row]:
    return text_rows(_decoded(content))


def _decoded(content: bytes) -> str:
    """UTF-8 with or without BOM, UTF-16 with one, or what Excel writes in Western Europe."""
    if content.startswith(b"PK\x03\x04"):
        raise ValidationError(_("This is a workbook, not a CSV file. Give its name the ending .xlsx."))
    encodings = ("utf-16",) if content.startswith(UTF_16) else ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise ValidationError(_("This is no text file. Save it as CSV in UTF-8."))


def text_rows(text: str) -> Iterator[Row]:
    """The rows of a text out of a spreadsheet. Raises ValidationError."""
    declared = DECLARED.match(text)
    delimiter = declared[1] if declared else _delimiter(text)
    text = text[declared.end() :] if declared else text
    # what else Unicode takes for the end of a line is text; and a quotation mark that does not fit is said
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    offset = 1 if declared else 0
    try:
        for cells in reader:
            yield reader.line_num + offset, [cell.strip() for cell in cells]
    except csv.Error as error:
        message = _("Line %(number)s cannot be read. Is a quotation mark missing?")
        raise ValidationError(message % {"number": reader.line_num + offset}) from error


def _delimiter(text: str) -> str:
    """The one that stands most often in the first line that says anything, outside of quotation marks."""
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=bare.count)


# --- Workbooks --------------------------------------------------------------------------------------------------------


def _xlsx_rows(content: bytes) -> Iterator[Row]:
    return workbook_rows(content, most_columns=4 * len(COLUMNS))


READERS: dict[str, Callable[[bytes], Iterator[Row]]] = {
    "csv": _csv_rows,
    "txt": _csv_rows,
    "tsv": _csv_rows,
    "xlsx": _xlsx_rows,
}


# --- Rows to lines ----------------------------------------------------------------------------------------------------


def _lines(rows: Iterator[Row]) -> list[BulkLine]:
    header = next((row for row in islice(rows, 100) if any(row[1])), None)
    if header is None:
        raise ValidationError(_("This file is empty."))
    places = _places(header[1])
    lines: list[BulkLine] = []
    for count, (number, cells) in enumerate(rows):
        if any(cells):
            lines.append(_line(number, cells, places))
        if len(lines) > MOST_LINES or count > MOST_ROWS:
            raise ValidationError(too_many_lines())
    if not lines:
        raise ValidationError(_("There are no lines below the names of the columns."))
    return lines


def _line(number: int, cells: Sequence[str], places: dict[str, int]) -> BulkLine:
    values = {name: cells[place] for name, place in places.items() if place < len(cells)}
    return with_plain_amount(number=number, **values)


def _places(header: Sequence[str]) -> dict[str, int]:
    """Where each column stands; columns that nobody knows are left alone."""
    places: dict[str, int] = {}
    for place, text in enumerate(header):
        name = column_of(text)
        if name in places:
            message = _("The columns “%(first)s” and “%(second)s” mean the same. Delete one of the two.")
            raise ValidationError(
                message % {"first": header[places[name]][:LONGEST_NAME], "second": text[:LONGEST_NAME]}
            )
        if name:
            places[name] = place
    missing = [label_of(name) for name in REQUIRED if name not in places]
    if missing:
        message = _("The first line must name the columns, and these are missing: %(columns)s.")
        raise ValidationError(message % {"columns": ", ".join(missing)})
    return places
