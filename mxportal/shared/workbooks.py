"""Read XLSX files of strangers: checked as a ZIP archive first, then read row by row (Q3)."""

import io
import json
import signal
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from threading import Lock

from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext as _

from mxportal.shared import workbook_reader

# Uncompressed. 10,000 lines with every column need a third of the one and a quarter of the other.
MAX_CONTENT_BYTES = 20 * 1024 * 1024
MAX_TAGS = 2_000_000
MANY_ROWS = 10_000  # the largest table that any page takes
MAX_ROWS = 2 * MANY_ROWS  # with blank ones between
MAX_ROWS_BEFORE = 200  # more rows, so that too many are noticed despite blank ones above the header
MAX_PARTS = 500
MAX_PACKING = 100  # how many times larger a part may become; our tables become twenty times larger
SMALL_PART = 1024 * 1024  # below this size, any packing is allowed
PORTION = 64 * 1024
READING_SECONDS = 60  # seconds for reading a workbook, including waiting for a processor
ONE_AT_A_TIME = Lock()  # in each process: only workbooks wait for each other
TURN = 10  # seconds
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}  # of the process that reads it
NEEDED = {"[Content_Types].xml", "xl/workbook.xml"}
MACROS = "vbaproject.bin"


def workbook_rows(content: bytes, *, most_columns: int, too_many: str) -> Iterator[tuple[int, list[str]]]:
    """Return the numbered rows of the first sheet as texts.

    ``too_many`` is the sentence that names the limit of rows. Raises ValidationError with a sentence.
    """
    check_archive(content, too_many)
    if not ONE_AT_A_TIME.acquire(timeout=TURN):
        raise ValidationError(_("Other workbooks are being read at the moment. Try again in a minute."))
    try:
        rows = _read_aside(content, most_columns)
    finally:
        ONE_AT_A_TIME.release()
    yield from enumerate(rows, start=1)


def _read_aside(content: bytes, most_columns: int) -> list[list[str]]:
    """Read in a process with neither our lock nor our secrets, within a limited time (Q3)."""
    command = [
        sys.executable,
        "-I",
        workbook_reader.__file__,
        str(most_columns),
        str(MAX_ROWS + MAX_ROWS_BEFORE),
        str(get_format("DECIMAL_SEPARATOR")),
    ]
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            check=False,
            timeout=READING_SECONDS,
            env=ENVIRONMENT,
        )
    except subprocess.TimeoutExpired as error:
        raise ValidationError(_too_large()) from error
    if done.returncode in (workbook_reader.TOO_LARGE, -signal.SIGXCPU, -signal.SIGKILL):
        raise ValidationError(_too_large())
    if done.returncode:
        raise ValidationError(_broken())
    rows: list[list[str]] = json.loads(done.stdout)
    return rows


def check_archive(content: bytes, too_many: str) -> None:
    """Check sizes by the archive's directory, then by unpacking it in portions, because a directory can be wrong."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _check_directory(parts)
            _unpack(archive, parts, too_many)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ValidationError(_broken()) from error


def _check_directory(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_CONTENT_BYTES:
        raise ValidationError(_too_large())
    if any(part.file_size > max(SMALL_PART, MAX_PACKING * part.compress_size) for part in parts):
        raise ValidationError(_too_large())
    if any(name.casefold().endswith(MACROS) for name in names):
        raise ValidationError(with_macros())
    if not names >= NEEDED:
        raise ValidationError(_broken())


def _unpack(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], too_many: str) -> None:
    """Count sizes, tags and rows before anything of the workbook is built."""
    size = tags = rows = 0
    for part in parts:
        with archive.open(part) as unpacked:
            while portion := unpacked.read(PORTION):
                size += len(portion)
                tags += portion.count(b"<")
                rows += portion.count(b"<row ")
                if size > MAX_CONTENT_BYTES or tags > MAX_TAGS:
                    raise ValidationError(too_many if rows > MANY_ROWS else _too_large())
    if rows > MAX_ROWS:
        raise ValidationError(too_many)


def with_macros() -> str:
    """Return the refusal of a file with macros, which must not run here."""
    return _("This workbook can hold macros. Save it as XLSX, without macros.")


def _too_large() -> str:
    return _("This workbook is too large. Keep the lines in one sheet without pictures, or save it as CSV.")


def _broken() -> str:
    return _("This workbook cannot be read. Open it and save it as XLSX or CSV again.")
