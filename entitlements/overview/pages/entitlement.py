"""What the page of one entitlement shows to one reader (A4, E7, E12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from accounts.models import User
from accounts.permissions import Permission
from accounts.visibility import visible_names
from entitlements.items.actions import CERTIFICATE, EMAIL, Action
from entitlements.items.predicates import is_party
from entitlements.items.rows import shown_seller_id
from entitlements.models import Entitlement, LineItem, State


@dataclass(frozen=True)
class EntitlementPage:
    """One order as one reader may see it. Order number, date and contacts are for parties only.

    ``email_item`` and ``certificate_item`` are the lines by which the whole entitlement is mailed and certified.
    """

    pk: int
    entitlement_id: str
    owner: str
    seller: str
    is_party: bool
    order_number: str
    order_date: date | None
    contacts: list[str]
    email_item: int | None
    certificate_item: int | None
    may_add_lines: bool
    may_deploy: bool


def entitlement_page(actor: User, entitlement: Entitlement, lines: Sequence[LineItem]) -> EntitlementPage:
    """Return the page's contents. ``lines`` are the visible lines that it lists, with their contacts selected."""
    seller_id = next((shown_seller_id(actor, item) for item in lines), entitlement.seller_id)
    names = visible_names(actor, [entitlement.owner_id, seller_id])
    mine = [item for item in lines if is_party(actor, item)]

    def first_offered(action: Action) -> int | None:
        return next((item.pk for item in lines if action.is_offered(actor, item)), None)

    issues = actor.may(Permission.CREATE_ENTITLEMENTS) and entitlement.seller_id == actor.account_id
    return EntitlementPage(
        pk=entitlement.pk,
        entitlement_id=entitlement.entitlement_id,
        owner=names[entitlement.owner_id],
        seller=names[seller_id],
        is_party=bool(mine),
        order_number=entitlement.order_number if mine else "",
        order_date=entitlement.order_date if mine else None,
        contacts=list(dict.fromkeys(f"{item.contact} <{item.contact.email}>" for item in mine)),
        email_item=first_offered(EMAIL),
        certificate_item=first_offered(CERTIFICATE),
        may_add_lines=issues,
        may_deploy=issues and any(item.state == State.DRAFT for item in lines),
    )
