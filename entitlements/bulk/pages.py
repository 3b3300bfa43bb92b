"""What the page of a bulk split shows in each of its states, as far as the reader may see it."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count

from accounts.models import Account, User
from accounts.visibility import visible_names
from entitlements.bulk.files.columns import COLUMNS
from entitlements.bulk.services.check import find_targets
from entitlements.bulk.services.jobs import lines_of
from entitlements.bulk.services.lines import BulkLine
from entitlements.items.rows import ItemRow, item_rows, shown_activation_id
from entitlements.models import BulkSplit, LineItem
from entitlements.splits.services.obstacles import all_undo_notes, undo_obstacle
from notifications.models import Mail, Status

LINES_SHOWN = 100
BLOCKED_SHOWN = 20
FAILED_SHOWN = 20
MAX_SUGGESTIONS = 200


@dataclass(frozen=True)
class SourceRow:
    """One ticked item, with the copies that the lines take from it."""

    row: ItemRow
    taken: int
    left: int
    error: str


@dataclass(frozen=True)
class LineRow:
    """One line in the preview."""

    line: BulkLine
    account: str
    errors: list[str]


def source_choices(sources: list[LineItem]) -> list[tuple[str, str]]:
    """Return the ticked items as choices: product, last group of the Activation ID, and available copies."""
    return [
        (
            source.activation_id,
            f"{source.product.name} · …-{source.activation_id_tail} ({source.available})",
        )
        for source in sources
    ]


def suggestions(actor: User) -> dict[str, Any]:
    """Return Account IDs and addresses to choose from while typing: the first ones, which are all for most accounts."""
    first = list(Account.objects.targets_of(actor).order_by("name_key", "pk")[:MAX_SUGGESTIONS])
    people = User.objects.visible_to(actor).active().filter(account__in=first).select_related("account")
    return {
        "accounts": first,
        "people": people.order_by("account__name_key", "last_name", "pk")[:MAX_SUGGESTIONS],
    }


def source_rows(actor: User, bulk: BulkSplit, sources: list[LineItem]) -> list[SourceRow]:
    """Return the copies taken from each source, those available, and what is wrong with the sum (E6)."""
    taken, errors = bulk.findings.get("taken", {}), bulk.findings.get("sources", {})
    return [
        SourceRow(
            row=row,
            taken=taken.get(str(row.pk), 0),
            left=row.available - taken.get(str(row.pk), 0),
            error=errors.get(str(row.pk), ""),
        )
        for row in item_rows(actor, sources)
    ]


def line_page(actor: User, bulk: BulkSplit, number: str) -> tuple[Page[Any], list[LineRow]]:
    """Return one page of all lines. The lines are a list, so pages have numbers."""
    page = Paginator(lines_of(bulk), LINES_SHOWN).get_page(number)
    accounts = find_targets(actor, {line.account_id for line in page.object_list})
    errors = bulk.findings.get("lines", {})
    rows = [
        LineRow(
            line=line,
            account=_account_name(line, accounts),
            errors=[f"{COLUMNS[name]}: {error}" for name, error in errors.get(str(index), {}).items()],
        )
        for index, line in enumerate(page.object_list, start=page.start_index() - 1)
    ]
    return page, rows


def _account_name(line: BulkLine, accounts: dict[str, Any]) -> str:
    found = accounts.get(line.account_id.upper())
    return found.name if found else line.account_name


# --- The result -------------------------------------------------------------------------------------------------------


def mail_counts(actor: User, bulk: BulkSplit) -> list[tuple[str, int]]:
    """Return how many mails about its items have each status (N2)."""
    mails = Mail.objects.filter(line_items__in=_served_items(actor, bulk))
    counted = mails.values_list("status").annotate(count=Count("pk", distinct=True))
    found = dict(counted)
    return [(status.value, found[status]) for status in Status if status in found]


def failed_mails(actor: User, bulk: BulkSplit) -> list[Mail]:
    """Return the mails that failed finally, newest first (N2)."""
    failed = Mail.objects.filter(line_items__in=_served_items(actor, bulk), status=Status.FAILED)
    return list(failed.distinct().order_by("-pk")[:FAILED_SHOWN])


def _served_items(actor: User, bulk: BulkSplit) -> Any:
    """Return the items whose mails the actor reads: those that its account serves, and all for MOBOTIX (E5)."""
    items = LineItem.objects.visible_to(actor).filter(bulk_splits=bulk)
    return (items if actor.account.is_mobotix else items.looked_after_by(actor.account)).values("pk")


def transferred_count(bulk: BulkSplit) -> int:
    """Return how many of its items another account serves now (A7)."""
    served = bulk.items.filter(quantity__gt=0, serving_account__isnull=False)
    return served.exclude(serving_account=bulk.account).count()


@dataclass(frozen=True)
class Blocked:
    """One item of which not all copies can come back, and why."""

    pk: int
    activation_id: str
    owner: str
    notes: list[str]


def blocked_rows(actor: User, items: list[LineItem]) -> list[Blocked]:
    """Return the first items that block the undo, with their reasons (E8)."""
    shown = items[:BLOCKED_SHOWN]
    names = visible_names(actor, [item.owner_id for item in shown])
    notes = all_undo_notes(actor, shown)
    return [
        Blocked(
            pk=item.pk,
            activation_id=shown_activation_id(actor, item),
            owner=names[item.owner_id],
            notes=notes[item.pk] or [undo_obstacle(actor, item)],
        )
        for item in shown
    ]
