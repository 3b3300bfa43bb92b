"""Entitlements: orders with their line items (E1), and what MOBOTIX changes about these later (E3, E15)."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Annotated, Any

from django.db.models import Window
from django.db.models.functions import RowNumber, Upper
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.models import User
from accounts.permissions import Permission
from accounts.visibility import NAME_WITHHELD, visible_names
from entitlements.api.answers import once
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.items import ItemOut, item_out, items_out
from entitlements.api.parties import find_buyer_ids
from entitlements.api.shapes import (
    AccountId,
    Email,
    EntitlementId,
    IdempotencyKey,
    In,
    Page,
    PageQuery,
    PartNumber,
    Reason,
    Text60,
    location,
    page_of,
)
from entitlements.items.checks import MAX_COPIES
from entitlements.items.listing import for_rows
from entitlements.items.predicates import is_party
from entitlements.items.rows import shown_seller_id
from entitlements.models import Entitlement, LineItem, Product, State
from entitlements.orders.services.corrections import Correction, change_quantity
from entitlements.orders.services.issue import (
    MAX_LINES_PER_ORDER,
    NewLine,
    add_lines,
    create_entitlement,
    deploy_entitlement,
)
from entitlements.orders.services.states import change_state
from mxportal.shared.pagination import IndexedPart
from mxportal.shared.refusals import refusal

router = Router(tags=["Entitlements"])
LINES_SHOWN = 100


class LineIn(In):
    """One line of an order. Without ``expires_on``, it is permanent."""

    part_number: PartNumber
    quantity: Annotated[int, Field(ge=1, le=MAX_COPIES, strict=True)]
    starts_on: date
    expires_on: date | None = None


class LinesIn(In):
    """With ``deploy``, the owner sees the lines at once.

    With ``send_mail``, the contact receives the Activation IDs by e-mail.
    """

    contact_email: Email
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=MAX_LINES_PER_ORDER)]
    deploy: bool = True
    send_mail: bool = True


class EntitlementIn(LinesIn):
    """An order of an account."""

    account_id: AccountId
    order_number: Text60 = ""
    order_date: date | None = None


class DeployIn(In):
    """With ``send_mail``, the contact receives the Activation IDs by e-mail (E1)."""

    send_mail: bool = True


class EntitlementOut(Schema):
    """An order.

    Only its buyer, its seller and MOBOTIX see the number and date of an order (E7). A withheld name is null.
    ``lines`` contains the first hundred line items.
    """

    entitlement_id: str
    owner: str | None
    seller: str | None
    order_number: str
    order_date: date | None
    lines: list[ItemOut]


class EntitlementQuery(PageQuery):
    """``order_number`` finds the orders that this account bought or sold under this number."""

    order_number: Text60 | None = None


class StateIn(In):
    """Inactive leaves licenses running; Obsolete is final and revokes them (E3).

    ``with_splits`` includes everything split from the line item.
    """

    state: State
    with_splits: bool = False
    reason: Reason = ""


class QuantityIn(In):
    """The correction of a quantity (E15): raise a line item that MOBOTIX issued, lower any line item, or revoke all
    available copies of a line item and of everything split from it.
    """

    correction: Correction
    copies: Annotated[int, Field(ge=0, le=MAX_COPIES, strict=True)] = 0
    reason: Reason


@router.get("/entitlements", auth=Token(Permission.VIEW), response=Page[EntitlementOut])
def entitlement_list(request: TokenRequest, query: Query[EntitlementQuery]) -> Page[EntitlementOut]:
    """List the orders that the account bought or sold, with their line items, newest first."""
    visible = Entitlement.objects.visible_to(request.user)
    if query.order_number is not None:
        visible = visible.filter(order_number=query.order_number)
    parts = [IndexedPart(part) for part in visible.parts_of(request.user)]
    found, address = page_of(request, visible, query, parts=parts)
    return Page(items=entitlements_out(request.user, found), next=address)


@router.post("/entitlements", auth=Token(Permission.CREATE_ENTITLEMENTS), response={201: EntitlementOut})
def entitlement_create(
    request: TokenRequest, body: EntitlementIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Create an order with its lines, all of them or nothing."""

    def create() -> Entitlement:
        owner_id, contact_id = find_buyer_ids(request, body.account_id, body.contact_email)
        return create_entitlement(
            actor=request.user,
            owner_id=owner_id,
            contact_id=contact_id,
            lines=_lines(body.lines),
            order_number=body.order_number,
            order_date=body.order_date,
            deploy=body.deploy,
            send_mail=body.deploy and body.send_mail,
            key=idempotency_key,
        )

    return _once(request, idempotency_key, create, status=201)


def _once(
    request: TokenRequest, key: str, do: Callable[[], Entitlement], *, status: int = 200
) -> HttpResponse:
    """Answer with the order as it is after the service."""
    show = partial(entitlement_out, request.user)
    headers = None if status == 200 else _at_entitlement
    return once(request, key, do, show, status=status, headers=headers)


def _at_entitlement(shown: EntitlementOut) -> dict[str, str]:
    return location("entitlements", shown.entitlement_id)


def _lines(lines: Iterable[LineIn]) -> list[NewLine]:
    """Return the lines for the service. Raises ValidationError at an unknown part number."""
    numbered = Product.objects.annotate(number=Upper("part_number"))
    wanted = numbered.filter(number__in={line.part_number.upper() for line in lines})
    known = {product.part_number.upper(): product.pk for product in wanted}
    wrong = {
        f"lines.{index}.part_number": [_("There is no product with this part number.")]
        for index, line in enumerate(lines)
        if line.part_number.upper() not in known
    }
    if wrong:
        raise refusal("wrong-product", wrong)
    return [
        NewLine(
            product_id=known[line.part_number.upper()],
            quantity=line.quantity,
            starts_on=line.starts_on,
            expires_on=line.expires_on,
        )
        for line in lines
    ]


@router.get("/entitlements/{entitlement_id}", auth=Token(Permission.VIEW), response=EntitlementOut)
def entitlement_detail(request: TokenRequest, entitlement_id: EntitlementId) -> EntitlementOut:
    """Get one order with its lines."""
    return entitlement_out(request.user, _find(request, entitlement_id))


@router.post(
    "/entitlements/{entitlement_id}/lines",
    auth=Token(Permission.CREATE_ENTITLEMENTS),
    response={201: EntitlementOut},
)
def entitlement_add_lines(
    request: TokenRequest, entitlement_id: EntitlementId, body: LinesIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Add lines to an order that MOBOTIX sold."""

    def add() -> Entitlement:
        entitlement = _find(request, entitlement_id)
        _owner, contact_id = find_buyer_ids(request, entitlement.owner.account_id, body.contact_email)
        return add_lines(
            actor=request.user,
            entitlement_id=entitlement.pk,
            contact_id=contact_id,
            lines=_lines(body.lines),
            deploy=body.deploy,
            send_mail=body.deploy and body.send_mail,
            key=idempotency_key,
        )

    return _once(request, idempotency_key, add, status=201)


@router.post(
    "/entitlements/{entitlement_id}/deploy", auth=Token(Permission.CHANGE_STATES), response=EntitlementOut
)
def entitlement_deploy(
    request: TokenRequest, entitlement_id: EntitlementId, body: DeployIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Deploy all drafts of an order."""

    def deploy() -> Entitlement:
        return deploy_entitlement(
            actor=request.user,
            entitlement_id=_find(request, entitlement_id).pk,
            send_mail=body.send_mail,
            key=idempotency_key,
        )

    return _once(request, idempotency_key, deploy)


@router.post("/items/{int:item_id}/state", auth=Token(Permission.CHANGE_STATES), response=ItemOut)
def item_state(
    request: TokenRequest, item_id: int, body: StateIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Change the state of a line item: set it inactive or obsolete, or deploy it again."""
    change = partial(
        change_state, actor=request.user, item_id=item_id, key=idempotency_key, **body.model_dump()
    )
    return once(request, idempotency_key, change, lambda item: item_out(request.user, item.pk))


@router.post("/items/{int:item_id}/quantity", auth=Token(Permission.CORRECT_QUANTITIES), response=ItemOut)
def item_quantity(
    request: TokenRequest, item_id: int, body: QuantityIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Correct the quantity of a line item. The contacts of all changed line items are informed by e-mail."""
    change = partial(
        change_quantity, actor=request.user, item_id=item_id, key=idempotency_key, **body.model_dump()
    )
    return once(request, idempotency_key, change, lambda item: item_out(request.user, item.pk))


def _find(request: TokenRequest, entitlement_id: str) -> Entitlement:
    visible = Entitlement.objects.visible_to(request.user).select_related("owner")
    return visible.get(entitlement_id=entitlement_id.upper())


def entitlement_out(actor: User, entitlement: Entitlement) -> EntitlementOut:
    """Return one order as the actor may see it."""
    return entitlements_out(actor, [entitlement])[0]


def entitlements_out(actor: User, entitlements: Iterable[Entitlement]) -> list[EntitlementOut]:
    """Return orders as the actor may see them, in a fixed number of queries."""
    entitlements = list(entitlements)
    ids = [one.pk for one in entitlements]
    place = Window(RowNumber(), partition_by="entitlement", order_by="pk")
    items = for_rows(LineItem.objects.visible_to(actor)).filter(entitlement__in=ids)
    lines = list(items.annotate(place=place).filter(place__lte=LINES_SHOWN).order_by("pk"))
    sides = [pk for one in entitlements for pk in (one.owner_id, one.seller_id)]
    names = visible_names(actor, [*sides, actor.account_id])
    shown: dict[int, list[Any]] = {pk: [] for pk in ids}
    for item, row in zip(lines, items_out(actor, lines), strict=True):
        shown[item.entitlement_id].append((item, row))
    return [_out(actor, one, shown[one.pk], names) for one in entitlements]


def _out(
    actor: User, entitlement: Entitlement, lines: list[tuple[LineItem, ItemOut]], names: dict[int, str]
) -> EntitlementOut:
    party = any(is_party(actor, item) for item, _row in lines) or actor.account.is_mobotix
    seller_id = next((shown_seller_id(actor, item) for item, _row in lines), entitlement.seller_id)
    owner, seller = names[entitlement.owner_id], names[seller_id]
    return EntitlementOut(
        entitlement_id=entitlement.entitlement_id,
        owner=None if owner is NAME_WITHHELD else owner,
        seller=None if seller is NAME_WITHHELD else seller,
        order_number=entitlement.order_number if party else "",
        order_date=entitlement.order_date if party else None,
        lines=[row for _item, row in lines],
    )
