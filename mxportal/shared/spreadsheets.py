"""Tables in files: read CSV and XLSX row by row, and write both so that Excel opens them.

Nothing in a file is trusted, neither size nor form. A workbook's uncompressed size is known before it is opened.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from tablib import Dataset

from mxportal.shared.workbooks import with_macros, workbook_rows

MAX_FILE_BYTES = 5 * 1024 * 1024
TEXT_ENDINGS = ("csv", "txt", "tsv")
DELIMITERS = (";", "\t", ",")
DECLARED = re.compile(r"sep=([;,\t])(?:\r\n?|\n)", re.IGNORECASE)
ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")  # the last one decodes every byte
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
FORMULA, CONTROLS = "=+-@", "\t\r\n"
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Row = tuple[int, Sequence[str]]


# --- Reading ----------------------------------------------------------------------------------------------------------


def file_rows(file: IO[bytes], name: str, *, most_columns: int, too_many: str) -> Iterator[Row]:
    """Return the numbered rows of a CSV or XLSX file, whatever they are about.

    ``too_many`` is the sentence that names the limit of rows. Raises ValidationError with a sentence.
    """
    ending = name.rpartition(".")[2].casefold()
    if ending not in ("xlsx", *TEXT_ENDINGS):
        raise ValidationError(_wrong_ending(ending))
    content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValidationError(_("This file is larger than 5 MB. Split it into several files."))
    if ending == "xlsx":
        return workbook_rows(content, most_columns=most_columns, too_many=too_many)
    return text_rows(_decoded(content))


def _wrong_ending(ending: str) -> str:
    if ending in ("xlsm", "xltm", "xlsb"):
        return with_macros()
    return _("Choose a CSV or XLSX file. Other files, such as XLS or PDF, cannot be read.")


def _decoded(content: bytes) -> str:
    """Return the text of UTF-8 with or without BOM, UTF-16 with one, or what Excel writes in Western Europe."""
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
    raise ValidationError(_("This is not a text file. Save it as CSV in UTF-8."))


def text_rows(text: str) -> Iterator[Row]:
    """Return the rows of a text copied from a spreadsheet. Raises ValidationError."""
    declared = DECLARED.match(text)
    delimiter = declared[1] if declared else _delimiter(text)
    text = text[declared.end() :] if declared else text
    # Other line ends of Unicode are text; a wrong quotation mark is an error.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    offset = 1 if declared else 0
    try:
        for cells in reader:
            yield reader.line_num + offset, [cell.strip() for cell in cells]
    except csv.Error as error:
        message = _("Line %(number)s cannot be read. Is a quotation mark missing?")
        raise ValidationError(message % {"number": reader.line_num + offset}) from error


def _delimiter(text: str) -> str:
    """Return the delimiter that is most frequent in the first line with text, outside of quotation marks."""
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=bare.count)


# --- Writing ----------------------------------------------------------------------------------------------------------


def disarm(text: str) -> str:
    """Turn a cell that a spreadsheet would take for a formula into text, also with wide forms and leading blanks."""
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if first and first in FORMULA or text[:1] and text[:1] in CONTROLS else text


def export(header: Sequence[str], rows: Iterable[Sequence[str | int]], kind: str) -> bytes:
    """Return the file of one of TYPES. A CSV has a BOM and the language's delimiter, as Excel expects them."""
    data = Dataset(headers=[disarm(text) for text in header], title="Mx")
    for row in rows:
        data.append([disarm(cell) if isinstance(cell, str) else cell for cell in row])
    if kind == "xlsx":
        return bytes(data.export("xlsx"))
    delimiter = ";" if get_language() == "de" else ","
    text = str(data.export("csv", delimiter=delimiter, quoting=csv.QUOTE_ALL))
    return text.encode("utf-8-sig")
