"""Split many lines in one transaction, all of them or none, in few statements and never line by line (E6, E7)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import Operation, User
from accounts.permissions import Permission, check_permission
from accounts.services.customers import ROWS_PER_QUERY, lock_seller
from accounts.services.customers import create_customers as make_customers
from entitlements.bulk.services.check import check_characters, check_counts, check_lines
from entitlements.bulk.services.lines import BulkLine, CheckResult, LinesRefused, PlannedSplit
from entitlements.ledger.movements import record_movements
from entitlements.mailing.services.queue import queue_contact_mails
from entitlements.models import BulkSplit, BulkState, Entitlement, LineItem, MovementKind, Origin
from entitlements.splits.services.split import new_item
from mxportal.shared.fields import fold
from notifications.messages import one_line

ROWS_PER_STATEMENT = 1000
Progress = Callable[[int], None]


def bulk_split(
    *,
    actor: User,
    item_ids: Sequence[int],
    lines: Sequence[BulkLine],
    key: str,
    create_customers: bool = False,
    send_mail: bool = True,
    attach_certificate: bool = False,
) -> BulkSplit:
    """Split copies of several items off to many buyers; its ``items`` are the new ones, in the order of the lines (E7).

    The same ``key`` with the same request returns the same bulk split again. Raises LineItem.DoesNotExist,
    PermissionDenied, and ValidationError at ``items`` or ``lines`` (LinesRefused, which says what is wrong with each
    line).
    """
    request = {
        "items": sorted(item_ids),
        "lines": [line.as_row() for line in lines],
        "create_customers": create_customers,
        "send_mail": send_mail,
        "attach_certificate": attach_certificate,
    }
    asked: dict[str, Any] = {"actor": actor, "lines": lines, "key": key, "request": request}
    try:
        return _bulk_split(**asked)
    except IntegrityError as error:
        if "account_id" not in str(error):
            raise
        return _bulk_split(**asked)  # another seller has just used the Account ID (A3)


@transaction.atomic(durable=True)
def _bulk_split(*, actor: User, lines: Sequence[BulkLine], key: str, request: dict[str, Any]) -> BulkSplit:
    check_permission(actor, Permission.SPLIT)
    sources = lock_sources(actor, request["items"], new_customers=request["create_customers"])
    once = Operation.once(actor, key, "bulk_split", request)
    if once.result:
        return BulkSplit.objects.get(pk=once.result)
    check_counts(sources, lines)
    check_characters(request["lines"])
    options = {name: request[name] for name in ("create_customers", "send_mail", "attach_certificate")}
    bulk = BulkSplit.objects.create(actor=actor, account=actor.account, origin=Origin.API, **options)
    bulk.sources.set(sources)
    split_all(bulk, sources, lines)
    once.keep(bulk)
    return bulk


def lock_sources(actor: User, item_ids: Iterable[int], *, new_customers: bool) -> list[LineItem]:
    """Lock the seller if it gets new buyers, then the sources by pk, always in this order.

    Raises LineItem.DoesNotExist if the actor does not see one of them.
    """
    if new_customers:
        lock_seller(actor)
    wanted = set(item_ids)
    visible = LineItem.objects.visible_to(actor).filter(pk__in=wanted)
    sources = list(visible.order_by("pk").for_update())
    if len(sources) != len(wanted):
        raise LineItem.DoesNotExist
    return sources


def split_all(
    bulk: BulkSplit,
    sources: Sequence[LineItem],
    lines: Sequence[BulkLine],
    *,
    progress: Progress = lambda done: None,
) -> None:
    """Check everything under the locks, then write everything, and drop the lines, which are not needed any more.

    Raises LinesRefused; nothing has been written then.
    """
    checked = check_lines(
        actor=bulk.actor, sources=sources, lines=lines, create_customers=bulk.create_customers
    )
    if not checked.is_right:
        raise LinesRefused(checked, lines)
    _make_customers(bulk.actor, checked)
    items = _write_items(bulk.actor, checked.parts, progress)
    parts = [(item, part.copies) for item, part in zip(items, checked.parts, strict=True)]
    record_movements(actor=bulk.actor, kind=MovementKind.SPLIT, parts=parts)
    link = BulkSplit.items.through
    link.objects.bulk_create(
        (link(bulksplit=bulk, lineitem=item) for item in items), batch_size=ROWS_PER_STATEMENT
    )
    if bulk.send_mail:
        queue_contact_mails(parcels=by_order_and_contact(items), certificate=bulk.attach_certificate)
    bulk.state, bulk.lines, bulk.findings = BulkState.DONE, [], {}
    bulk.line_count, bulk.copies = len(items), sum(copies for _item, copies in parts)
    bulk.save()


def _make_customers(actor: User, checked: CheckResult) -> None:
    made = make_customers(actor=actor, customers=checked.customers)
    by_draft = {id(draft): one for draft, one in zip(checked.customers, made, strict=True)}
    for part in checked.parts:
        if part.customer is not None:
            part.target, people = by_draft[id(part.customer)]
            part.contact = people[part.email_key]


def _write_items(actor: User, parts: Sequence[PlannedSplit], progress: Progress) -> list[LineItem]:
    entitlements = _entitlements_for(actor, parts)
    items: list[LineItem] = []
    for start in range(0, len(parts), ROWS_PER_STATEMENT):
        end = start + ROWS_PER_STATEMENT
        batch = zip(parts[start:end], entitlements[start:end], strict=True)
        items += LineItem.objects.bulk_create(
            _item_of(actor, part, entitlement) for part, entitlement in batch
        )
        progress(len(items))
    return items


def _item_of(actor: User, part: PlannedSplit, entitlement: Entitlement) -> LineItem:
    target, contact = part.buyer()
    return new_item(actor=actor, source=part.source, entitlement=entitlement, target=target, contact=contact)


def _entitlements_for(actor: User, parts: Sequence[PlannedSplit]) -> list[Entitlement]:
    """Return for each part the owner's entitlement of this seller and order number, or a new one (E7)."""
    named = _named_entitlements(actor, parts)
    without = [part for part in parts if not part.order_number]
    new = iter(
        Entitlement.objects.bulk_create(
            [
                Entitlement(seller_id=actor.account_id, owner=part.target, created_by=actor)
                for part in without
            ],
            batch_size=ROWS_PER_STATEMENT,
        )
    )
    return [named[_order(part)] if part.order_number else next(new) for part in parts]


def _order(part: PlannedSplit) -> tuple[int, str]:
    return part.buyer()[0].pk, one_line(part.order_number)


def _named_entitlements(actor: User, parts: Sequence[PlannedSplit]) -> dict[tuple[int, str], Entitlement]:
    """Return the entitlements of the parts with an order number, created if they did not exist.

    They are written in the order of their keys, so that two bulk splits for the same orders wait for each other and
    never deadlock. The unique index leaves existing ones as they are; then all are read.
    """
    orders = sorted({_order(part) for part in parts if part.order_number})
    Entitlement.objects.bulk_create(
        [
            Entitlement(seller_id=actor.account_id, owner_id=owner_id, order_number=number, created_by=actor)
            for owner_id, number in orders
        ],
        ignore_conflicts=True,
        batch_size=ROWS_PER_STATEMENT,
    )
    found = {}
    for start in range(0, len(orders), ROWS_PER_QUERY):
        owners, numbers = zip(*orders[start : start + ROWS_PER_QUERY], strict=True)
        sold = Entitlement.objects.filter(
            seller=actor.account_id, owner__in=set(owners), order_number__in=set(numbers)
        )
        found.update({(one.owner_id, one.order_number): one for one in sold})
    return found


def by_order_and_contact(items: Iterable[LineItem]) -> list[tuple[list[LineItem], User]]:
    """Group items into mails: lines of one order for one contact are one mail (E7)."""
    parcels: dict[tuple[int, str], list[LineItem]] = defaultdict(list)
    for item in items:
        parcels[item.entitlement_id, fold(item.contact.email)].append(item)
    return [(lines, lines[0].contact) for lines in parcels.values()]
