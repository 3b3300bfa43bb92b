"""Check many lines at once: what each one asks for, and what is wrong with it (E6). services/split.py has the rules.

Each query loads up to 500 rows, never one row a line. An account of a stranger and one that does not exist are treated
alike.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models.functions import Upper
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, User
from accounts.services.customers import (
    ROWS_PER_QUERY,
    NewContact,
    NewCustomer,
    check_contact,
    check_customers,
    chunks,
)
from entitlements.bulk.services.lines import (
    LINE_FIELDS,
    MAX_BULK_LINES,
    MAX_SOURCES,
    BulkLine,
    CheckResult,
    Errors,
    PlannedSplit,
    too_many_lines,
)
from entitlements.identifiers.activation_ids import canonical
from entitlements.identifiers.countries import country_code
from entitlements.items.checks import check_copies, check_usable
from entitlements.items.predicates import may_split
from entitlements.models import LineItem
from mxportal.shared.fields import fold
from mxportal.shared.numbers import typed_number
from mxportal.shared.refusals import INVALID, Coded, coded, refusal
from mxportal.shared.text import only_what_is_seen

MAX_LENGTHS = {"order_number": 60, "account_id": 30}
MAX_CELL_LENGTH = 254
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and halves of surrogate pairs
PERSON_COLUMNS = ("account_id", "email", "email_key", "display_name", "first_name", "last_name", "language")


def check_lines(
    *,
    actor: User,
    sources: Sequence[LineItem],
    lines: Sequence[BulkLine],
    create_customers: bool,
    progress: Callable[[int], None] = lambda done: None,
) -> CheckResult:
    """Check every line without writing anything (E6). Raises PermissionDenied if the actor may not split a source."""
    check_counts(sources, lines)
    if not all(may_split(actor, source) for source in sources):
        raise PermissionDenied
    return _LineCheck(actor, sources, lines, create_customers).run(progress)


def check_counts(sources: Sequence[LineItem], lines: Sequence[BulkLine]) -> None:
    """Require at least one item and line, and no more than the limits.

    Raises ValidationError at ``items`` or ``lines``.
    """
    if not 1 <= len(sources) <= MAX_SOURCES:
        message = _("Tick between 1 and %(most)s line items to split.")
        raise refusal("wrong-number-of-items", {"items": message % {"most": MAX_SOURCES}})
    if not lines:
        raise refusal("no-lines", {"lines": _("Enter at least one line.")})
    if len(lines) > MAX_BULK_LINES:
        raise refusal("too-many-lines", {"lines": too_many_lines()})


def check_characters(rows: Iterable[Mapping[str, Any]]) -> None:
    """Refuse characters that no database stores. Raises ValidationError at ``lines``."""
    for index, row in enumerate(rows):
        if any(UNSTORABLE.search(value) for value in row.values() if isinstance(value, str)):
            message = _("Line %(number)s contains a character that cannot be stored. Type it again.")
            raise refusal(
                "unstorable-character", {"lines": message % {"number": row.get("number") or index + 1}}
            )


class _LineCheck:
    """One check of all lines of a bulk split, which loads targets and contacts once."""

    def __init__(
        self, actor: User, sources: Sequence[LineItem], lines: Sequence[BulkLine], create_customers: bool
    ) -> None:
        self.actor, self.lines, self.create_customers = actor, lines, create_customers
        self.sources = sources
        self.by_activation_id = {source.activation_id: source for source in sources}
        self.obstacles = _obstacles(sources)
        self.targets = find_targets(actor, {line.account_id for line in lines})
        self.contacts = _find_contacts(self.targets.values(), {fold(line.email) for line in lines})
        self.new: dict[str, NewCustomer] = {}
        self.lines_of_new: dict[str, list[int]] = {}
        self.result = CheckResult()

    def run(self, progress: Callable[[int], None]) -> CheckResult:
        """Check line by line, then new customers and sums; report progress."""
        for index, line in enumerate(self.lines):
            errors = _check_form(line)
            part = self._part(index, line, errors)
            if errors:
                self.result.errors[index] = errors
            if part is not None:
                self.result.parts.append(part)
            if index % ROWS_PER_QUERY == 0:
                progress(index)
        self._check_new_customers()
        self._check_sums()
        self.result.customers = list(self.new.values())
        return self.result

    def _part(self, index: int, line: BulkLine, errors: Errors) -> PlannedSplit | None:
        source = self._source(line, errors)
        copies = self._copies(line, source, errors)
        target = self.targets.get(line.account_id.upper())
        part = PlannedSplit(
            source=source or self.sources[0],
            copies=copies,
            order_number=line.order_number,
            email_key=fold(line.email),
            target=target,
        )
        if target:
            part.contact = self._contact(line, target, errors)
        elif self.create_customers and "account_id" not in errors:
            part.customer = self._new_customer(index, line, errors)
        else:
            errors.setdefault("account_id", _unknown_account(line))
        return part if source else None

    def _source(self, line: BulkLine, errors: Errors) -> LineItem | None:
        typed = line.activation_id
        if not typed and len(self.sources) == 1:
            source: LineItem | None = self.sources[0]
        else:
            source = self.by_activation_id.get(canonical(typed) or "") or self.by_activation_id.get(typed)
        if source is None:
            errors.setdefault("activation_id", _wrong_source(typed))
        elif source.pk in self.obstacles:
            errors.setdefault("activation_id", self.obstacles[source.pk])
        return source

    def _copies(self, line: BulkLine, source: LineItem | None, errors: Errors) -> int:
        copies = _number(line.amount)
        if copies is None:
            errors.setdefault("amount", _wrong_amount(line.amount))
            return 0
        if source is None:
            return 0
        self.result.taken[source.pk] = self.result.taken.get(source.pk, 0) + max(copies, 0)
        if not 1 <= copies <= source.available:
            _check_cell(errors, "amount", partial(check_copies, copies, source.available))
        return copies

    def _contact(self, line: BulkLine, target: Account, errors: Errors) -> User | None:
        contact = self.contacts.get((target.pk, fold(line.email)))
        if contact is None:
            errors.setdefault("email", _wrong_contact(line))
        return contact

    def _new_customer(self, index: int, line: BulkLine, errors: Errors) -> NewCustomer:
        """Return the new customer of a line; lines of one customer share an account with a contact for each address."""
        key = f"id {line.account_id.upper()}" if line.account_id else f"name {fold(line.account_name)}"
        country = country_code(line.country) or line.country
        customer = self.new.setdefault(key, NewCustomer(line.account_id, line.account_name, country))
        self.lines_of_new.setdefault(key, []).append(index)
        if (fold(customer.name), customer.country) != (fold(line.account_name), country):
            errors.setdefault("account_name", _customer_differs())
        contact = customer.contacts.setdefault(
            fold(line.email), NewContact(line.email, line.first_name, line.last_name)
        )
        for name, error in check_contact(contact).items():
            errors.setdefault(name, error)
        return customer

    def _check_new_customers(self) -> None:
        if not self.new:
            return
        fields = {"account_id": "account_id", "name": "account_name", "country": "country"}
        found = check_customers(actor=self.actor, customers=list(self.new.values()))
        for key, errors in zip(self.new, found, strict=True):
            for index in self.lines_of_new[key] if errors else ():
                line_errors = self.result.errors.setdefault(index, {})
                for name, error in errors.items():
                    line_errors.setdefault(fields[name], error)

    def _check_sums(self) -> None:
        for source in self.sources:
            taken = self.result.taken.get(source.pk, 0)
            if taken > source.available:
                self.result.source_errors[source.pk] = _too_much(taken, source.available)


def _check_form(line: BulkLine) -> Errors:
    """Refuse values that no cell can have: formulas, several lines, too long ones."""
    errors: Errors = {}
    for name in LINE_FIELDS:
        value = getattr(line, name)
        if not value:
            continue
        if value.startswith("="):
            errors[name] = Coded("formula", _("This is a formula. Enter its value."))
        elif len(value) > MAX_LENGTHS.get(name, MAX_CELL_LENGTH):
            errors[name] = Coded("too-long", _("This is too long. Please shorten it."))
        else:
            _check_cell(errors, name, partial(only_what_is_seen, value))
    return errors


def _check_cell(errors: Errors, name: str, check: Callable[[], object]) -> None:
    try:
        check()
    except ValidationError as error:
        errors.setdefault(name, coded(error))


def _obstacles(sources: Sequence[LineItem]) -> dict[int, str]:
    """Return why sources cannot be split, each checked once (E3)."""
    found: dict[int, str] = {}
    for source in sources:
        try:
            check_usable(source)
        except ValidationError as error:
            found[source.pk] = coded(error)
    return found


def find_targets(actor: User, account_ids: set[str]) -> dict[str, Account]:
    """Return the accounts that the actor may split to, by upper-case Account ID; all others are missing (E6)."""
    longest = MAX_LENGTHS["account_id"]
    typed = {text.upper() for text in account_ids if text.isascii() and 0 < len(text) <= longest}
    accounts = Account.objects.targets_of(actor).alias(upper=Upper("account_id"))
    found: dict[str, Account] = {}
    for chunk in chunks(typed):
        found.update({account.account_id.upper(): account for account in accounts.filter(upper__in=chunk)})
    return found


def _find_contacts(targets: Iterable[Account], addresses: set[str]) -> Mapping[tuple[int, str], User]:
    """Return active persons of the targets by account and folded address; a seller sees the persons of its buyers."""
    ids = sorted(target.pk for target in targets)
    people = User.objects.active().only(*PERSON_COLUMNS)
    if len(addresses) <= ROWS_PER_QUERY:  # otherwise load all persons of these accounts
        people = people.filter(email_key__in=addresses)
    found: dict[tuple[int, str], User] = {}
    for start in range(0, len(ids), ROWS_PER_QUERY):
        of_targets = people.filter(account__in=ids[start : start + ROWS_PER_QUERY])
        found.update({(person.account_id, person.email_key): person for person in of_targets})
    return found


def _number(text: str) -> int | None:
    """Return a whole number of ASCII digits; None for anything else, because numbers are never guessed."""
    number = typed_number(text.removeprefix("-"), digits=12)
    return -number if number and text.startswith("-") else number


def _wrong_amount(typed: str) -> str:
    if not typed:
        return Coded("too-few-copies", _("Enter a number of copies."))
    return Coded(INVALID, _("Enter a whole number, for example 5 or 2,000."))


def _wrong_source(typed: str) -> str:
    if not typed:
        sentence = _("Enter the Activation ID of the line item that these copies come from.")
        return Coded("activation-id-needed", sentence)
    return Coded("wrong-item", _("None of the line items that you ticked has this Activation ID."))


def _unknown_account(line: BulkLine) -> str:
    if not line.account_id:
        return Coded("wrong-account", _("Enter the Account ID of the buyer."))
    return Coded("wrong-account", _("This is not the Account ID of an active account that you sell to."))


def _wrong_contact(line: BulkLine) -> str:
    if not line.email:
        return Coded("wrong-contact", _("Enter the contact’s e-mail address."))
    sentence = _(
        "This account has no contact with this e-mail address. Correct it, or create the contact first."
    )
    return Coded("wrong-contact", sentence)


def _customer_differs() -> str:
    sentence = _("Another line has the same new end customer with another name or country.")
    return Coded("customer-differs", sentence)


def _too_much(taken: int, available: int) -> str:
    sentence = ngettext(
        "Together the lines take %(taken)s, but only %(available)s copy is available.",
        "Together the lines take %(taken)s, but only %(available)s copies are available.",
        available,
    )
    return Coded("not-enough-copies", sentence % {"taken": taken, "available": available})
