"""Q3: a workbook is read aside, with limits: a small file that unpacks to very much costs the portal nothing."""

import io
import os
import resource
import threading
import zipfile

import pytest
from django.core.exceptions import ValidationError
from openpyxl import Workbook

from entitlements.bulk.files.lines import read_file
from mxportal.shared import workbook_reader, workbooks

pytestmark = pytest.mark.once

SHEET = "xl/worksheets/sheet1.xml"
BEGIN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
END = b"</sheetData></worksheet>"


def workbook(*rows: list[object]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def with_sheet(rows: bytes, *, level: int = 9) -> bytes:
    """A workbook whose sheet has these rows, as XML."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(["a"]))) as book,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for part in book.infolist():
            content = BEGIN + rows + END if part.filename == SHEET else book.read(part)
            out.writestr(part.filename, content, compresslevel=level)
    return made.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(ValidationError) as refused:
        read_file(io.BytesIO(content), "a.xlsx")
    return str(refused.value.messages[0])


def own_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def test_a_small_file_with_very_many_cells() -> None:
    """Q3: 30 kB with 480,000 cells, 17 s of the portal's own CPU once, are refused by how tightly they are packed."""
    bomb = with_sheet(b"<row r='1'>" + b"<c><v>1</v></c>" * 480_000 + b"</row>")
    assert len(bomb) < 60_000
    began = own_seconds()
    assert refusal(bomb).startswith("This workbook is too large.")
    assert own_seconds() - began < 1


@pytest.mark.slow
def test_what_is_not_packed_costs_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Q3: the same without the packing: it ends with its time, and the portal's own CPU has no part in it."""
    monkeypatch.setattr(workbooks, "MAX_PACKING", 10_000)
    monkeypatch.setattr(workbooks, "READING_SECONDS", 1)
    bomb = with_sheet(b"<row r='1'>" + b"<c><v>1</v></c>" * 480_000 + b"</row>")
    began = own_seconds()
    assert refusal(bomb).startswith("This workbook is too large.")
    assert own_seconds() - began < 1


def test_the_reader_limits_itself() -> None:
    """Q3: it would be killed by its own limit of CPU; and it knows none of our secrets."""
    assert workbook_reader.SECONDS < workbooks.READING_SECONDS
    assert "SECRET_KEY" not in (workbooks.ENVIRONMENT | {"PATH": os.environ["PATH"]})


@pytest.mark.slow
def test_one_long_text_in_many_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Q3: openpyxl keeps it once, and whoever writes it down has it 9,000 times."""
    monkeypatch.setattr(workbooks, "MAX_PACKING", 10_000)
    text = "x" * 3000
    book = workbook(*[[text] * 3] * 3000)
    assert refusal(book).startswith("This workbook is too large.")


def test_entities_are_not_expanded() -> None:
    """Q3: the "billion laughs"."""
    laughs = b'<!DOCTYPE x [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;">]>'
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["a"]))) as book, zipfile.ZipFile(content, "w") as out:
        for part in book.infolist():
            cell = BEGIN + b"<row><c t='inlineStr'><is><t>&b;</t></is></c></row>" + END
            out.writestr(part.filename, laughs + cell if part.filename == SHEET else book.read(part))
    assert refusal(content.getvalue()).startswith("This workbook cannot be read.")


@pytest.mark.slow
def test_workbooks_wait_for_each_other_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Q3: one at a time, and nobody holds a request thread while another workbook is read."""
    monkeypatch.setattr(workbooks, "TURN", 0.1)
    with workbooks.ONE_AT_A_TIME:
        assert refusal(workbook(["a"])).startswith("Other workbooks are being read")
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(refusal(workbook(["a"]))))
    thread.start()
    thread.join()
    assert found[0].startswith("The first line must name the columns")
