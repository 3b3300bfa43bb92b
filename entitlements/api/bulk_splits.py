"""Bulk split: many lines, all of them or none (E7)."""

from functools import partial
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.permissions import Permission
from accounts.quotas import Quota, spend
from entitlements.api.answers import once
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.items import ItemOut, items_out
from entitlements.api.shapes import (
    Email,
    Id,
    IdempotencyKey,
    In,
    Page,
    PageQuery,
    Reason,
    Text40,
    Text60,
    Text100,
    Text200,
    location,
    page_of,
)
from entitlements.bulk.services.lines import MAX_BULK_LINES, MAX_SOURCES, BulkLine, LinesRefused
from entitlements.bulk.services.requests import undo_bulk_split
from entitlements.bulk.services.split import bulk_split
from entitlements.items.checks import MAX_COPIES
from entitlements.items.listing import for_rows
from entitlements.models import BulkSplit, BulkState, LineItem
from mxportal.shared.refusals import INVALID

router = Router(tags=["Bulk splits"])


class BulkLineIn(In):
    """One line of a bulk split.

    Where several line items are split, ``activation_id`` names the one that this line takes copies from. With
    ``create_customers``, an unknown account becomes a new End customer if the line contains name, country and
    person.
    """

    account_id: Text40 = ""
    email: Email
    amount: Annotated[int, Field(ge=1, le=MAX_COPIES, strict=True)]
    activation_id: Text60 = ""
    order_number: Text60 = ""
    account_name: Text200 = ""
    country: Text100 = ""
    first_name: Text100 = ""
    last_name: Text100 = ""


class BulkSplitIn(In):
    """The line items and the lines; all lines are split, or none."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_SOURCES)]
    lines: Annotated[list[BulkLineIn], Field(min_length=1, max_length=MAX_BULK_LINES)]
    create_customers: bool = False
    send_mail: bool = True
    attach_certificate: bool = False


class BulkSplitOut(Schema):
    """A bulk split and its state. ``failure`` says why an undo was refused."""

    id: int
    state: BulkState
    line_count: int
    copies: int
    failure: str


class ReasonIn(In):
    """The reason of MOBOTIX (E13)."""

    reason: Reason = ""


@router.post("/bulk-splits", auth=Token(Permission.SPLIT), response={201: BulkSplitOut})
def bulk_split_create(
    request: TokenRequest, body: BulkSplitIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Split many lines, all of them or none. Errors are named by ``lines.N.field``."""
    lines = [
        BulkLine(number=number, amount=str(line.amount), **line.model_dump(exclude={"amount"}))
        for number, line in enumerate(body.lines, start=1)
    ]
    options = body.model_dump(exclude={"lines"})

    spend(request.user, Quota.UPLOADS)

    def split() -> BulkSplit:
        try:
            return bulk_split(actor=request.user, lines=lines, key=idempotency_key, **options)
        except LinesRefused as error:
            raise ValidationError(_at_lines(error)) from error

    return once(
        request,
        idempotency_key,
        split,
        BulkSplitOut.from_orm,
        status=201,
        headers=lambda shown: location("bulk-splits", shown.id),
    )


def _at_lines(refused: LinesRefused) -> dict[str, ValidationError]:
    found = {
        f"lines.{index}.{field}": _with_code(message)
        for index, errors in refused.checked.errors.items()
        for field, message in errors.items()
    }
    items = {f"item_ids.{pk}": _with_code(message) for pk, message in refused.checked.source_errors.items()}
    return found | items


def _with_code(message: str) -> ValidationError:
    return ValidationError(str(message), code=getattr(message, "code", INVALID))


@router.get("/bulk-splits", auth=Token(Permission.VIEW), response=Page[BulkSplitOut])
def bulk_split_list(request: TokenRequest, query: Query[PageQuery]) -> Page[Any]:
    """List the bulk splits of the account, newest first."""
    items, address = page_of(request, BulkSplit.objects.visible_to(request.user), query)
    return Page.model_construct(items=items, next=address)


@router.get("/bulk-splits/{int:bulk_id}", auth=Token(Permission.VIEW), response=BulkSplitOut)
def bulk_split_detail(request: TokenRequest, bulk_id: int) -> BulkSplit:
    """Get a bulk split and its state."""
    return BulkSplit.objects.visible_to(request.user).get(pk=bulk_id)


@router.get("/bulk-splits/{int:bulk_id}/items", auth=Token(Permission.VIEW), response=Page[ItemOut])
def bulk_split_items(request: TokenRequest, bulk_id: int, query: Query[PageQuery]) -> Page[ItemOut]:
    """List the new line items with their Activation IDs, in the order of the lines."""
    bulk = BulkSplit.objects.visible_to(request.user).get(pk=bulk_id)
    made = for_rows(LineItem.objects.visible_to(request.user).filter(bulk_splits=bulk))
    items, address = page_of(request, made, query, order=("id",))
    return Page(items=items_out(request.user, items), next=address)


@router.post(
    "/bulk-splits/{int:bulk_id}/undo", auth=Token(Permission.UNDO_SPLIT), response={202: BulkSplitOut}
)
def bulk_split_undo(
    request: TokenRequest, bulk_id: int, body: ReasonIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Undo a bulk split: all copies that are still there come back, or none.

    Read the bulk split again until its state is no longer ``undoing``.
    """
    undo = partial(
        undo_bulk_split, actor=request.user, bulk_id=bulk_id, key=idempotency_key, reason=body.reason
    )
    return once(
        request,
        idempotency_key,
        undo,
        BulkSplitOut.from_orm,
        status=202,
        headers=lambda shown: location("bulk-splits", shown.id),
    )
