"""Bad input: what people and attackers upload for a bulk split, each with a plain sentence."""

import io
import time
import zipfile
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override
from openpyxl import Workbook

from entitlements.bulk.files.columns import COLUMNS, column_of, label_of
from entitlements.bulk.files.lines import read_file, read_text
from entitlements.bulk.services.lines import MAX_BULK_LINES, BulkLine
from mxportal.shared import spreadsheets, workbooks

pytestmark = pytest.mark.once

HEADER = "Account ID,Contact e-mail,Amount"
LINE = "A1,eva@buyer.example,5"
EXPECTED = BulkLine(number=2, account_id="A1", email="eva@buyer.example", amount="5")


def read(content: bytes | str, name: str = "lines.csv") -> list[BulkLine]:
    return read_file(io.BytesIO(content.encode() if isinstance(content, str) else content), name)


def refusal(content: bytes | str, name: str = "lines.csv") -> str:
    with pytest.raises(ValidationError) as error:
        read(content, name)
    (sentence,) = error.value.messages
    return str(sentence)


def workbook(*rows: Any) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(**parts: bytes) -> bytes:
    """A ZIP with these parts; `__` stands for a slash, `_Content` for the one with brackets."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", b"<Types/>")
        made.writestr("xl/workbook.xml", b"<workbook/>")
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return file.getvalue()


# --- Text files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{HEADER}\n{LINE}\n".encode(), id="plain"),
        pytest.param(f"\ufeff{HEADER}\r\n{LINE}\r\n".encode(), id="BOM"),
        pytest.param(f"{HEADER}\n{LINE}".replace(",", ";").encode(), id="semicolons"),
        pytest.param(f"{HEADER}\n{LINE}".replace(",", "\t").encode(), id="tabs"),
        pytest.param(f"{HEADER}\n{LINE}".encode("utf-16"), id="UTF-16"),
        pytest.param(f"{HEADER}\r{LINE}\r".encode(), id="old Mac"),
        pytest.param(f"{HEADER},Note\n{LINE},one\u2028two\x0bthree\x85".encode(), id="other separators"),
        pytest.param(b'"Account ID","Contact e-mail","Amount"\n"A1","eva@buyer.example","5"', id="quoted"),
        pytest.param(b"ACCOUNT_ID ; contact  E-Mail;amount\n A1 ; eva@buyer.example ; 5 ", id="case and blanks"),
        pytest.param(b"Konto-ID;Kontakt-E-Mail;Anzahl\nA1;eva@buyer.example;5", id="German"),
        pytest.param(b"Note,Amount,Account ID,e-mail\nx,5,A1,eva@buyer.example", id="other order and more"),
    ],
)  # fmt: skip
def test_the_forms_that_people_have(content: bytes) -> None:
    assert read(content) == [EXPECTED]


def test_a_line_break_in_a_cell_is_none_of_the_file() -> None:
    """In whichever of the three forms."""
    for end in ("\r\n", "\n", "\r"):
        text = f'{HEADER},Account name\n{LINE},"Köln\nStraße"\n{LINE},x'.replace("\n", end)
        assert [line.account_name for line in read(text)] == [f"Köln{end}Straße", "x"]


def test_excel_says_which_delimiter_it_means() -> None:
    for end in ("\r\n", "\n", "\r"):
        (line,) = read(f"sep=;\n{HEADER}\n{LINE}".replace(",", ";").replace("\n", end))
        assert (line.account_id, line.number) == ("A1", 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_umlauts_survive_in_every_encoding(encoding: str) -> None:
    text = f"{HEADER},Account name,Stück\n{LINE},Köln Straße,\n".replace(",Stück", ",x")
    (line,) = read(text.encode(encoding))
    assert line.account_name == "Köln Straße"


def test_blank_lines_keep_the_numbers_of_the_others() -> None:
    lines = read(f"\n{HEADER}\n\n{LINE}\n , ,\n{LINE}\n")
    assert [line.number for line in lines] == [4, 6]


def test_short_lines_are_filled_up() -> None:
    assert read(f"{HEADER}\nA1") == [BulkLine(number=2, account_id="A1")]


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_template_s_own_names_are_understood(language: str) -> None:
    with override(language):
        assert {column_of(label_of(name)): name for name in COLUMNS} == {name: name for name in COLUMNS}


@pytest.mark.parametrize("name", ["Contact", "Kontakt"])
def test_a_contact_s_name_is_no_address(name: str) -> None:
    """In many lists that column holds a person's name, beside the address."""
    (line,) = read(f"{HEADER},{name}\n{LINE},Eva Muster")
    assert line == EXPECTED


def test_every_kind_of_refusal_of_a_text() -> None:
    assert refusal("") == "This file is empty."
    assert refusal(" \n\n ; ;\n") == "This file is empty."
    assert refusal(HEADER) == "There are no lines below the names of the columns."
    assert (
        refusal("Account ID,Amount\nA1,5")
        == "The first line must name the columns, and these are missing: Contact e-mail."
    )
    assert "missing: Account ID, Contact e-mail, Amount" in refusal(LINE)
    assert (
        refusal(f"{HEADER},Quantity\n{LINE},6")
        == "The columns “Amount” and “Quantity” mean the same. Delete one of the two."
    )
    assert refusal(b"\x00\x01\x02\x00") == "This is not a text file. Save it as CSV in UTF-8."
    assert refusal(b"\xff\xfea") == "This is not a text file. Save it as CSV in UTF-8."
    unreadable = "Line 2 cannot be read. Is a quotation mark missing?"
    for wrong in ("x" * 200_000, f'{LINE},"no end', 'A1,"eva@buyer.example"x,5'):
        assert refusal(f"{HEADER}\n{wrong}") == unreadable


@pytest.mark.parametrize("name", ["lines.xls", "lines.pdf", "lines", "lines.csv.exe", ".htaccess"])
def test_other_endings_are_refused(name: str) -> None:
    assert refusal(f"{HEADER}\n{LINE}", name).startswith("Choose a CSV or XLSX file.")


def test_one_is_not_taken_for_the_other() -> None:
    book = workbook(HEADER.split(","), LINE.split(","))
    assert refusal(book, "lines.csv") == "This is a workbook, not a CSV file. Give its name the ending .xlsx."
    assert refusal(f"{HEADER}\n{LINE}", "lines.xlsx").startswith("This workbook cannot be read.")


def test_too_large_files_are_refused_unread() -> None:
    assert "larger than 5 MB" in refusal(b"x" * (spreadsheets.MAX_FILE_BYTES + 1))


@pytest.mark.slow
def test_the_limit_of_lines() -> None:
    assert len(read(HEADER + f"\n{LINE}" * MAX_BULK_LINES)) == MAX_BULK_LINES
    expected = "A bulk split has at most 10,000 lines. Make several bulk splits."
    assert refusal(HEADER + f"\n{LINE}" * (MAX_BULK_LINES + 1)) == expected
    start = time.process_time()
    assert refusal(HEADER + f"\n{LINE}" * 100_001) == expected
    assert refusal(HEADER + "\n" * 1_000_000 + LINE) == expected
    assert time.process_time() - start < 3


def test_amounts_and_formulas_come_as_they_were_typed() -> None:
    """They are judged with the line, where there is a place for a sentence."""
    typed = ["1.0", "1e3", "-1", "", "=1+1", "+1", "@SUM(A1)"]
    lines = read(HEADER + "".join(f"\nA1,eva@buyer.example,{amount}" for amount in typed))
    assert [line.amount for line in lines] == typed


# --- Pasted text ------------------------------------------------------------------------------------------------------


def test_pasted_with_and_without_a_header() -> None:
    assert read_text(f"{HEADER}\n{LINE}") == [EXPECTED]
    (line,) = read_text("A1\teva@buyer.example\t5\t7KQ4\tPO 1")
    assert (line.account_id, line.amount, line.activation_id, line.order_number) == (
        "A1",
        "5",
        "7KQ4",
        "PO 1",
    )
    with pytest.raises(ValidationError, match="at least one line"):
        read_text(" \n ")


# --- Workbooks --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_workbook_is_read_like_a_text() -> None:
    book = workbook(["Konto-ID", "Kontakt-E-Mail", "Anzahl"], [None] * 3, [4711.0, "eva@buyer.example", 5])
    assert read(book, "LINES.XLSX") == [
        BulkLine(number=3, account_id="4711", email="eva@buyer.example", amount="5")
    ]


@pytest.mark.slow
def test_numbers_and_formulas_of_a_workbook() -> None:
    """1.0 is stored as the number 1; half a copy, a text and a formula stay what they are."""
    amounts = [1.0, 1.5, "1.0", "=1+1", True]
    book = workbook(HEADER.split(","), *[["A1", "eva@buyer.example", amount] for amount in amounts])
    assert [line.amount for line in read(book, "a.xlsx")] == ["1", "1.5", "1.0", "=1+1", "True"]


@pytest.mark.slow
def test_broken_workbooks() -> None:
    book = workbook(HEADER.split(","), LINE.split(","))
    broken = "This workbook cannot be read. Open it and save it as XLSX or CSV again."
    for content in (b"", b"PK\x03\x04", book[: len(book) // 2], archive(), archive(a=b"x")):
        assert refusal(content, "a.xlsx") == broken
    damaged = bytearray(book)
    damaged[60:80] = b"\x00" * 20
    assert refusal(bytes(damaged), "a.xlsx") == broken
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("word/document.xml", b"<a/>")
    assert refusal(other.getvalue(), "a.xlsx") == broken


def test_workbooks_with_macros() -> None:
    sentence = "This workbook can hold macros. Save it as XLSX, without macros."
    assert refusal(archive(), "a.xlsm") == sentence
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"):
            made.writestr(name, b"x")
    assert refusal(content.getvalue(), "a.xlsx") == sentence


def test_a_zip_bomb_is_not_unpacked() -> None:
    """By its directory, quickly and without the memory that it asks for."""
    bomb = archive(xl__worksheets__sheet1=b"0" * (workbooks.MAX_CONTENT_BYTES + 1))
    assert len(bomb) < 100_000
    assert refusal(bomb, "a.xlsx").startswith("This workbook is too large.")


def test_a_directory_that_lies_is_found_out() -> None:
    """The sizes in the directory say 1 byte; what is unpacked ends there, and the checksum does not fit."""
    bomb = bytearray(archive(xl__worksheets__sheet1=b"0" * 30_000_000))
    size = (30_000_000).to_bytes(4, "little")
    while (place := bytes(bomb).find(size)) >= 0:
        bomb[place : place + 4] = (1).to_bytes(4, "little")
    assert refusal(bytes(bomb), "a.xlsx").startswith("This workbook cannot be read.")


def test_many_tags_and_many_parts_are_refused_before_they_are_built() -> None:
    assert refusal(archive(a=b"<a/>" * (workbooks.MAX_TAGS + 1)), "a.xlsx").startswith(
        "This workbook is too large."
    )
    parts = {f"p{number}": b"x" for number in range(workbooks.MAX_PARTS)}
    assert refusal(archive(**parts), "a.xlsx").startswith("This workbook is too large.")


def test_a_workbook_of_too_many_lines() -> None:
    rows = b"".join(b'<row r="%d"><c/></row>' % number for number in range(1, 100_002))
    start = time.process_time()
    assert refusal(archive(xl__worksheets__sheet1=rows), "a.xlsx").startswith("A bulk split has at most")
    assert time.process_time() - start < 3


def edited(book: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The workbook with a piece of one part replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == part:
                assert old in content
                content = content.replace(old, new)
            after.writestr(name, content)
    return made.getvalue()


@pytest.mark.slow
def test_huge_dimensions_are_not_believed() -> None:
    """A sheet that says it has 17 thousand million cells has two rows."""
    book = workbook(HEADER.split(","), LINE.split(","))
    sheet = "xl/worksheets/sheet1.xml"
    wide = edited(book, sheet, b'ref="A1:C2"', b'ref="A1:XFD1048576"')
    assert read(wide, "a.xlsx") == [EXPECTED]
    start = time.process_time()
    deep = edited(book, sheet, b'<row r="2"', b'<row r="1048576"')
    assert refusal(deep, "a.xlsx").startswith("A bulk split has at most")
    assert time.process_time() - start < 3


@pytest.mark.slow
def test_entities_do_not_multiply() -> None:
    """A billion laughs: defusedxml refuses the declaration itself."""
    laughs = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    book = workbook(HEADER.split(","), LINE.split(","))
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
        with zipfile.ZipFile(io.BytesIO(book)) as parts:
            start = parts.read(part)[:40]
        place = start.index(b"<", 1) if start.startswith(b"<?xml") else 0
        bad = edited(book, part, start, start[:place] + laughs + start[place:])
        assert refusal(bad, "a.xlsx").startswith("This workbook cannot be read."), part
