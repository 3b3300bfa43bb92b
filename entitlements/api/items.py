"""Line items, as the token's person may see them (E2, E5, E12)."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from accounts.models import Account, User
from accounts.permissions import Permission
from accounts.visibility import NAME_WITHHELD
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.shapes import (
    EntitlementId,
    In,
    LastDay,
    Page,
    PageQuery,
    PartNumber,
    Text100,
    location,
    page_of,
)
from entitlements.identifiers.activation_ids import is_mistyped
from entitlements.items.listing import EXPIRED, ORDERS, Shown, Sort, for_rows, list_items
from entitlements.items.rows import ItemRow, item_rows
from entitlements.items.search import find_by_activation_id
from entitlements.models import LineItem, Product, State
from mxportal.shared.refusals import refusal

router = Router(tags=["Line items"])


class ItemOut(Schema):
    """A line item.

    The owner, the seller, the serving account and MOBOTIX get the full Activation ID; others get its last group
    (E5). ``owner`` is null if its name is withheld (A4); ``expires_on`` is null for a permanent line item.
    """

    id: int
    activation_id: str
    activation_id_in_full: bool
    entitlement_id: str
    part_number: str
    product: str
    unit: str
    quantity: int
    available: int
    split: int
    activated: int
    starts_on: date
    expires_on: LastDay
    state: State
    is_expired: bool
    owner: str | None
    owner_account_id: str | None
    order_number: str


class SearchIn(In):
    """The full Activation ID."""

    activation_id: Text100


class ItemQuery(PageQuery):
    """The filters of List Entitlements. To find an Activation ID, use ``POST /items/search``."""

    shown: Shown = Shown.ALL
    part_number: PartNumber | None = None
    entitlement_id: EntitlementId | None = None
    state: State | None = None
    expired: bool = False
    sort: Sort = Sort.NEWEST


@router.get("/items", auth=Token(Permission.VIEW), response=Page[ItemOut])
def item_list(request: TokenRequest, query: Query[ItemQuery]) -> Page[ItemOut]:
    """List the line items that the account sees: its own, those that it sold, and those further down."""
    product = None
    if query.part_number is not None:
        product = Product.objects.filter(part_number__iexact=query.part_number).first()
        if product is None:
            return Page(items=[], next=None)
    state = EXPIRED if query.expired else query.state or ""
    listing = list_items(actor=request.user, shown=query.shown, product=product, state=state)
    parts = listing.parts
    if query.entitlement_id is not None:
        listing_items = listing.items.filter(entitlement__entitlement_id=query.entitlement_id)
        items, address = page_of(request, listing_items, query, order=ORDERS[query.sort])
    else:
        items, address = page_of(request, listing.items, query, order=ORDERS[query.sort], parts=parts)
    return Page(items=items_out(request.user, items), next=address)


@router.post("/items/search", auth=Token(Permission.VIEW), response=ItemOut)
def item_search(request: TokenRequest, body: SearchIn) -> ItemOut:
    """Find the line item of an Activation ID.

    The ID is a secret, so it is sent in the body and not in the address.
    """
    return item_out(request.user, find_item_id(request.user, body.activation_id))


def find_item_id(actor: User, typed: str) -> int:
    """Return the item of an ID that the actor may read in full (E5). Raises LineItem.DoesNotExist, ValidationError."""
    if is_mistyped(typed):
        message = _("This Activation ID has a typing error. Compare it with the e-mail or the certificate.")
        raise refusal("mistyped-activation-id", {"activation_id": message})
    item = find_by_activation_id(actor, typed)
    if item is None:
        raise LineItem.DoesNotExist
    return item.pk


@router.get("/items/{int:item_id}", auth=Token(Permission.VIEW), response=ItemOut)
def item_detail(request: TokenRequest, item_id: int) -> ItemOut:
    """Get one line item."""
    return item_out(request.user, item_id)


def item_out(actor: User, item_id: int) -> ItemOut:
    """Return one item as it is now and as the actor may see it. Raises LineItem.DoesNotExist."""
    item = for_rows(LineItem.objects.visible_to(actor)).get(pk=item_id)
    return items_out(actor, [item])[0]


def at_item(shown: ItemOut) -> dict[str, str]:
    """Return the header with the address of a new line item."""
    return location("items", shown.id)


def items_out(actor: User, items: Iterable[LineItem]) -> list[ItemOut]:
    """Return items, in two queries: the names, and the Account IDs of the accounts that the actor may open (A4)."""
    items = list(items)
    owners = Account.objects.visible_to(actor).filter(pk__in={item.owner_id for item in items})
    account_ids = dict(owners.values_list("pk", "account_id"))
    rows = zip(item_rows(actor, items), items, strict=True)
    return [_out(row, account_ids.get(item.owner_id)) for row, item in rows]


def _out(row: ItemRow, owner_account_id: str | None) -> ItemOut:
    return ItemOut(
        id=row.pk,
        activation_id_in_full=row.in_full,
        owner=None if row.owner is NAME_WITHHELD else row.owner,
        owner_account_id=owner_account_id,
        **{name: getattr(row, name) for name in SAME_AS_ON_PAGES},
    )


SAME_AS_ON_PAGES = (
    "activation_id",
    "entitlement_id",
    "part_number",
    "product",
    "unit",
    "quantity",
    "available",
    "split",
    "activated",
    "starts_on",
    "expires_on",
    "state",
    "is_expired",
    "order_number",
)
