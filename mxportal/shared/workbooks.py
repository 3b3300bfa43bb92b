"""XLSX files out of foreign hands: judged as a ZIP archive first, then read row by row."""

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
LARGEST_CONTENT = 20 * 1024 * 1024
MOST_TAGS = 2_000_000
MANY_ROWS = 10_000  # the largest table that any page takes
MOST_ROWS = 2 * MANY_ROWS  # with blank ones between
MOST_BEFORE = 200  # rows read beyond, so that too many are noticed with blank ones above the header
MOST_PARTS = 500
MOST_PACKED = 100  # how many times as large a part may become; tables of ours are packed one to twenty
SMALL_PART = 1024 * 1024  # below, it may be packed as tightly as it likes
PORTION = 64 * 1024
PATIENCE = 60  # seconds that reading a workbook may take, waiting for a processor included
ONE_AT_A_TIME = (
    Lock()
)  # in each process: workbooks wait for each other, for a moment, and nothing else waits for them
TURN = 10  # seconds
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}  # of the process that reads it
NEEDED = {"[Content_Types].xml", "xl/workbook.xml"}
MACROS = "vbaproject.bin"


def workbook_rows(content: bytes, *, most_columns: int, too_many: str) -> Iterator[tuple[int, list[str]]]:
    """Return the rows of the first sheet as texts, with their numbers.

    ``too_many``: the sentence that says how many rows may be sent. Raises ValidationError with a sentence.
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
    """By a process of its own, which has neither our lock nor our secrets, and so much time and no more (Q3)."""
    command = [
        sys.executable,
        "-I",
        workbook_reader.__file__,
        str(most_columns),
        str(MOST_ROWS + MOST_BEFORE),
        str(get_format("DECIMAL_SEPARATOR")),
    ]
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
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
    """Sizes by the archive's directory, then by unpacking portion by portion: a directory may lie."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _check_directory(parts)
            _unpack(archive, parts, too_many)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ValidationError(_broken()) from error


def _check_directory(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_CONTENT:
        raise ValidationError(_too_large())
    if any(part.file_size > max(SMALL_PART, MOST_PACKED * part.compress_size) for part in parts):
        raise ValidationError(_too_large())
    if any(name.casefold().endswith(MACROS) for name in names):
        raise ValidationError(with_macros())
    if not names >= NEEDED:
        raise ValidationError(_broken())


def _unpack(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], too_many: str) -> None:
    """Sizes, tags and rows are counted before anything of it is built."""
    size = tags = rows = 0
    for part in parts:
        with archive.open(part) as unpacked:
            while portion := unpacked.read(PORTION):
                size += len(portion)
                tags += portion.count(b"<")
                rows += portion.count(b"<row ")
                if size > LARGEST_CONTENT or tags > MOST_TAGS:
                    raise ValidationError(too_many if rows > MANY_ROWS else _too_large())
    if rows > MOST_ROWS:
        raise ValidationError(too_many)


def with_macros() -> str:
    """What they do is nobody's to run here."""
    return _("This workbook can hold macros. Save it as XLSX, without macros.")


def _too_large() -> str:
    return _("This workbook is too large. Keep the lines in one sheet without pictures, or save it as CSV.")


def _broken() -> str:
    return _("This workbook cannot be read. Open it and save it as XLSX or CSV again.")
