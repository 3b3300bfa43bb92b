"""Read rows that somebody types on the screen, and add or remove one by the buttons "add" and "remove:2"."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from mxportal.shared.drafts import Sent
from mxportal.shared.numbers import typed_number

ADD, REMOVE = "add", "remove:"
Row = TypeVar("Row")


def typed_rows(
    data: Mapping[str, Any], prefix: str, fields: Iterable[str], *, most: int, total: str = "TOTAL_FORMS"
) -> list[dict[str, str]]:
    """Return what stands in each row, right or wrong; ``total`` is the field that counts them."""
    fields = list(fields)
    count = typed_number(str(data.get(f"{prefix}-{total}", ""))) or 0
    return [
        {name: str(data.get(f"{prefix}-{row}-{name}", "")) for name in fields}
        for row in range(min(count, most))
    ]


def changes_rows(step: str) -> bool:
    """Return whether this button adds or removes a row."""
    return step == ADD or step.startswith(REMOVE)


def changed_rows(rows: list[Row], sent: Sent, new: Callable[[], Row]) -> list[Row]:
    """Return the rows with one more, or without the one whose "Remove" was pressed."""
    step = "" if sent.is_typed else str(sent.get("step", ""))
    if step == ADD:
        return [*rows, new()]
    if step.startswith(REMOVE) and (place := typed_number(step.removeprefix(REMOVE))) is not None:
        return rows[:place] + rows[place + 1 :]
    return rows
