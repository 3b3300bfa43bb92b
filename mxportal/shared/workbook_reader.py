"""Read the first sheet of an XLSX file, as a separate program for each file (`mxportal.shared.workbooks`, Q3).

Parsing a workbook holds Python's lock and can be made to take very long; here it delays nobody, in a process without
secrets, whose time and memory are limited. It imports nothing of the portal. The file comes on standard input.
"""

import json
import resource
import sys
from io import BytesIO
from itertools import islice
from typing import Any

SECONDS = 15  # of CPU; 10,000 full lines take about four on a slow machine
MEMORY = 1024 * 1024 * 1024  # bytes of address space
MAX_TEXT_CHARACTERS = 20_000_000  # characters in all, because many cells can share one long text
TOO_LARGE = 3  # the exit status


def main(most_columns: int, most_rows: int, decimal_point: str) -> int:
    """Print the rows as JSON: a list of lists of texts."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    content = sys.stdin.buffer.read()
    from openpyxl import load_workbook

    workbook = load_workbook(BytesIO(content), read_only=True, data_only=False, keep_links=False)
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()  # because the size in the file can be wrong
    rows, left = [], MAX_TEXT_CHARACTERS
    for cells in islice(sheet.iter_rows(values_only=True, max_col=most_columns), most_rows):
        row = [as_text(cell, decimal_point) for cell in cells]
        left -= sum(map(len, row))
        if left < 0:
            return TOO_LARGE
        rows.append(row)
    json.dump(rows, sys.stdout)
    return 0


def as_text(value: Any, decimal_point: str) -> str:
    """Return a cell as people would type it: 5 for the number 5.0, and a formula with its equals sign.

    A fraction has the decimal point of the reader's language, so that 2.125 is no amount in any language (E18).
    """
    if value is None:
        return ""
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else repr(value).replace(".", decimal_point)
    return str(value).strip()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
