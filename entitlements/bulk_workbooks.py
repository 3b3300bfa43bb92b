"""XLSX files out of foreign hands: judged as a ZIP archive first, then read row by row."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from entitlements.services.bulk_check import too_many_lines
from entitlements.services.bulk_lines import MOST_LINES

# Uncompressed. 10,000 lines with every column need a third of the one and a quarter of the other.
LARGEST_CONTENT = 20 * 1024 * 1024
MOST_TAGS = 2_000_000
MOST_ROWS = 2 * MOST_LINES  # with blank ones between
MOST_PARTS = 500
PORTION = 64 * 1024
NEEDED = {"[Content_Types].xml", "xl/workbook.xml"}
MACROS = "vbaproject.bin"


def workbook_rows(content: bytes, *, most_columns: int) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet as texts, with their numbers. Raises ValidationError with a sentence."""
    check_archive(content)
    from openpyxl import load_workbook  # only who uploads a workbook pays for it

    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size is not to be trusted
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=most_columns), start=1):
            yield number, [as_text(cell) for cell in cells]
        workbook.close()
    except ValidationError:
        raise
    except Exception as error:  # whatever a library makes of a broken file
        raise ValidationError(_broken()) from error


def as_text(value: Any) -> str:
    """A cell as the reader would have typed it: 5 for the number 5.0; a formula with its equals sign.

    A fraction has the decimal point of the active language, so that 2.125 is no amount in any (E18).
    """
    if value is None:
        return ""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return number_format(repr(value), use_l10n=True, force_grouping=False)
    return str(value).strip()


def check_archive(content: bytes) -> None:
    """Sizes by the archive's directory, then by unpacking portion by portion: a directory may lie."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _check_directory(parts)
            _unpack(archive, parts)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ValidationError(_broken()) from error


def _check_directory(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_CONTENT:
        raise ValidationError(_too_large())
    if any(name.casefold().endswith(MACROS) for name in names):
        raise ValidationError(with_macros())
    if not names >= NEEDED:
        raise ValidationError(_broken())


def _unpack(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Sizes, tags and rows are counted before anything of it is built."""
    size = tags = rows = 0
    for part in parts:
        with archive.open(part) as unpacked:
            while portion := unpacked.read(PORTION):
                size += len(portion)
                tags += portion.count(b"<")
                rows += portion.count(b"<row ")
                if size > LARGEST_CONTENT or tags > MOST_TAGS:
                    raise ValidationError(too_many_lines() if rows > MOST_LINES else _too_large())
    if rows > MOST_ROWS:
        raise ValidationError(too_many_lines())


def with_macros() -> str:
    """What they do is nobody's to run here."""
    return _("This workbook can hold macros. Save it as XLSX, without macros.")


def _too_large() -> str:
    return _("This workbook is too large. Keep the lines in one sheet without pictures, or save it as CSV.")


def _broken() -> str:
    return _("This workbook cannot be read. Open it and save it as XLSX or CSV again.")
