"""The lines of a bulk split: as they were typed, what they ask for, and what is wrong with them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import Account, User
from accounts.services.customers import NewCustomer
from entitlements.models import LineItem
from mxportal.shared.numbers import plain_amount

MAX_BULK_LINES = 10_000
MAX_SOURCES = 100
Errors = dict[str, str]


def too_many_lines() -> str:
    """Return the sentence that names the limit of lines."""
    message = _("A bulk split has at most %(most)s lines. Make several bulk splits.")
    return message % {"most": number_format(MAX_BULK_LINES, force_grouping=True)}


@dataclass(frozen=True, kw_only=True)
class BulkLine:
    """One line as it was typed. ``number`` is its place in the file or table."""

    number: int = 0
    account_id: str = ""
    email: str = ""
    amount: str = ""
    activation_id: str = ""
    order_number: str = ""
    account_name: str = ""
    country: str = ""
    first_name: str = ""
    last_name: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return the line for JSON, without empty values."""
        return {name: value for name, value in asdict(self).items() if value}


def with_plain_amount(*, number: int, amount: str = "", **typed: str) -> BulkLine:
    """Make a line with its amount in plain digits, because it is checked later, perhaps in another language (E18)."""
    return BulkLine(number=number, amount=plain_amount(amount), **typed)


LINE_FIELDS = tuple(each.name for each in fields(BulkLine) if each.name != "number")


@dataclass
class PlannedSplit:
    """One split that a correct line asks for. ``customer`` stands for target and contact until it is created."""

    source: LineItem
    copies: int
    order_number: str
    email_key: str
    target: Account | None = None
    contact: User | None = None
    customer: NewCustomer | None = None

    def buyer(self) -> tuple[Account, User]:
        """Return target and contact of a correct line, whose new customer exists by now."""
        assert self.target is not None
        assert self.contact is not None
        return self.target, self.contact


@dataclass
class CheckResult:
    """The result of a check.

    ``errors`` are by index of the line, then field; ``source_errors`` and ``taken`` by primary key of the source.
    """

    parts: list[PlannedSplit] = field(default_factory=list)
    errors: dict[int, Errors] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    source_errors: dict[int, str] = field(default_factory=dict)
    customers: list[NewCustomer] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Return whether everything can be split."""
        return not self.errors and not self.source_errors


class LinesRefused(ValidationError):
    """Some lines are wrong; ``checked`` says which."""

    def __init__(self, checked: CheckResult, lines: Sequence[BulkLine]) -> None:
        self.checked = checked
        super().__init__({"lines": list(_sentences(checked, lines))})


def _sentences(checked: CheckResult, lines: Sequence[BulkLine]) -> Iterable[str]:
    for index, errors in checked.errors.items():
        for error in errors.values():
            yield _("Line %(number)s: %(error)s") % {
                "number": lines[index].number or index + 1,
                "error": error,
            }
    yield from checked.source_errors.values()
