"""The table of keys (E7): for each service that takes one, a request of it, and another with the same key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Tier
from accounts.services.accounts import create_account
from accounts.services.api_tokens import create_api_token, new_secret
from accounts.services.credentials import send_credentials
from accounts.services.users import create_user
from entitlements.bulk.services.requests import (
    _carry_out,
    carry_out,
    correct_bulk_split,
    discard_bulk_split,
    email_bulk_split,
    start_bulk_split,
    undo_bulk_split,
)
from entitlements.bulk.services.split import bulk_split
from entitlements.mailing.services.queue import email_line_items
from entitlements.mailing.services.resending import send_all_again
from entitlements.models import BulkSplit, Origin, State
from entitlements.orders.services.corrections import Correction, change_quantity
from entitlements.orders.services.issue import NewLine, add_lines, create_entitlement, deploy_entitlement
from entitlements.orders.services.products import save_product
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.orders.services.states import change_state
from entitlements.orders.services.transfer import transfer_account
from entitlements.splits.services.split import split_line_item
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.factories import Cast, issue_item, make_account, make_product, split_item, today
from tests.guards.locks_accounts import make_failed_mail, make_seller


@dataclass(frozen=True)
class Asked:
    """A request; ``changes`` make another one of it.

    Where ``otherwise`` is a refusal, something else stands in the way of doing it twice: the key then gives who asks
    twice the answer in the place of that refusal.
    """

    service: Callable[..., Any]
    request: dict[str, Any]
    changes: dict[str, Any]
    otherwise: type[Exception] | None = None


def order(cast: Cast, **fields: Any) -> dict[str, Any]:
    """A request of MOBOTIX for one line to the distributor."""
    line = NewLine(product_id=cast.product.pk, quantity=5, starts_on=today(), expires_on=None)
    return {"actor": cast.mobotix, "contact_id": cast.distributor.pk, "lines": [line], **fields}


def new_account(cast: Cast) -> Asked:
    """A2."""
    request = {"actor": make_seller(cast), "tier": Tier.INSTALLER, "name": "Twin"}
    return Asked(create_account, request, {"name": "Other"}, ValidationError)


def new_account_with_person(cast: Cast) -> Asked:
    """A2, U4: both or neither."""
    person = {"email": "first@twin.example", "first_name": "A", "last_name": "B"}
    request = {"actor": make_seller(cast), "tier": Tier.INSTALLER, "name": "Twin", "person": person}
    return Asked(create_account, request, {"person": person | {"first_name": "C"}}, ValidationError)


def new_user(cast: Cast) -> Asked:
    """U4."""
    seller = make_seller(cast)
    request = {"actor": seller, "account_id": seller.account_id, "email": "a@twin.example"}
    return Asked(create_user, request, {"email": "b@twin.example"}, ValidationError)


def new_credentials(cast: Cast) -> Asked:
    """U4."""
    request = {"actor": cast.mobotix, "user_id": make_seller(cast).pk}
    return Asked(send_credentials, request, {"user_id": make_seller(cast).pk})


def new_token(cast: Cast) -> Asked:
    """P1."""
    request = {"actor": cast.mobotix, "name": "ERP", "scopes": ["orders"]}
    return Asked(lambda **asked: create_api_token(secret=new_secret(), **asked), request, {"name": "Another"})


def new_product(cast: Cast) -> Asked:
    """E1."""
    request = {"actor": cast.mobotix, "part_number": new_key(), "license_model": "perpetual"}
    request |= {"name_en": "One", "name_de": "Eins"}
    return Asked(save_product, request, {"name_en": "Two"}, ValidationError)


def changed_product(cast: Cast) -> Asked:
    """E1."""
    request = {"actor": cast.mobotix, "product_id": make_product().pk, "name_en": "One"}
    return Asked(save_product, request, {"name_en": "Two"})


def new_entitlement(cast: Cast) -> Asked:
    """E1."""
    request = order(cast, owner_id=cast.distributor.account_id)
    return Asked(create_entitlement, request, {"order_number": "2"})


def new_entitlement_deployed(cast: Cast) -> Asked:
    """E1: at once."""
    request = order(cast, owner_id=cast.distributor.account_id, deploy=True, send_mail=True)
    return Asked(create_entitlement, request, {"send_mail": False})


def new_lines(cast: Cast) -> Asked:
    """E1."""
    request = order(cast, entitlement_id=issue_item(cast).entitlement_id)
    return Asked(add_lines, request, {"lines": request["lines"] * 2})


def deployment(cast: Cast) -> Asked:
    """E1."""
    request = {"actor": cast.mobotix, "entitlement_id": issue_item(cast, deploy=False).entitlement_id}
    return Asked(deploy_entitlement, request, {"send_mail": False}, ValidationError)


def state(cast: Cast) -> Asked:
    """E3."""
    request = {"actor": cast.mobotix, "item_id": issue_item(cast).pk, "state": State.INACTIVE}
    return Asked(change_state, request, {"state": State.OBSOLETE}, ValidationError)


def quantity(cast: Cast) -> Asked:
    """E15."""
    request = {"actor": cast.mobotix, "item_id": issue_item(cast).pk, "reason": "Because.", "copies": 1}
    return Asked(change_quantity, request | {"correction": Correction.LOWER}, {"copies": 2})


def replacement(cast: Cast) -> Asked:
    """E5."""
    request = {"actor": cast.mobotix, "item_id": issue_item(cast).pk, "reason": "Because."}
    return Asked(replace_activation_id, request, {"reason": "Another."})


def moving(cast: Cast) -> Asked:
    """A7."""
    former, seller = make_seller(cast).account, make_seller(cast).account
    buyer = make_account(Tier.END_CUSTOMER, "Mover", sellers=(former,))
    request = {"actor": cast.mobotix, "account_id": buyer.pk, "reason": "Because."}
    request |= {"former_id": former.pk, "seller_id": seller.pk}
    return Asked(transfer_account, request, {"reason": "Another."}, ValidationError)


def split(cast: Cast) -> Asked:
    """E7."""
    request = {"actor": cast.distributor, "item_id": issue_item(cast).pk, "copies": 10}
    request |= {"target_id": cast.installer.account_id, "contact_id": cast.installer.pk}
    return Asked(split_line_item, request, {"copies": 11})


def splits(cast: Cast) -> Asked:
    """E7 in bulk."""
    request = {"actor": cast.distributor, "item_ids": [issue_item(cast).pk]}
    return Asked(
        bulk_split, request | {"lines": [line_for(cast.installer)]}, {"lines": [line_for(cast.installer, 2)]}
    )


def bulk_start(cast: Cast) -> Asked:
    """Its lines are kept and checked."""
    request = {"actor": cast.distributor, "item_ids": [issue_item(cast).pk], "origin": Origin.TABLE}
    return Asked(
        start_bulk_split,
        request | {"lines": [line_for(cast.installer)]},
        {"lines": [line_for(cast.installer, 2)]},
    )


def ready_bulk(cast: Cast) -> BulkSplit:
    """One that waits for "Split all"."""
    asked = bulk_start(cast)
    return start_bulk_split(key=new_key(), **asked.request)


def running_bulk(cast: Cast) -> BulkSplit:
    """One that waits for its worker."""
    options = {"send_mail": False, "attach_certificate": False}
    return _carry_out(**seen_bulk(cast), key=new_key(), options=options)


def seen_bulk(cast: Cast) -> dict[str, Any]:
    """What a request says that somebody makes on its preview."""
    bulk = ready_bulk(cast)
    return {"actor": cast.distributor, "bulk_id": bulk.pk, "seen": bulk.version}


def done_bulk(cast: Cast) -> BulkSplit:
    """One that is carried out."""
    return split_bulk(cast.distributor, [issue_item(cast)], [line_for(cast.installer)])


def bulk_correction(cast: Cast) -> Asked:
    """Of the version that was shown."""
    request = {**seen_bulk(cast), "create_customers": False}
    two, three = ({"corrections": {0: line_for(cast.installer, copies)}} for copies in (2, 3))
    return Asked(correct_bulk_split, request | two, three, ValidationError)


def bulk_carried_out(cast: Cast) -> Asked:
    """E7."""
    request = {**seen_bulk(cast), "send_mail": True}
    return Asked(carry_out, request, {"send_mail": False}, ValidationError)


def bulk_discard(cast: Cast) -> Asked:
    """A6."""
    request = {"actor": cast.distributor, "bulk_id": ready_bulk(cast).pk}
    return Asked(discard_bulk_split, request, {"bulk_id": ready_bulk(cast).pk}, ValidationError)


def bulk_email(cast: Cast) -> Asked:
    """E9."""
    request = {"actor": cast.distributor, "bulk_id": done_bulk(cast).pk}
    return Asked(email_bulk_split, request, {"attach_certificate": True})


def bulk_undo(cast: Cast) -> Asked:
    """E8."""
    request = {"actor": cast.distributor, "bulk_id": done_bulk(cast).pk}
    return Asked(undo_bulk_split, request, {"reason": "Because."}, ValidationError)


def undo(cast: Cast) -> Asked:
    """E8."""
    item = split_item(cast.distributor, issue_item(cast), cast.installer.account)
    return Asked(undo_split, {"actor": cast.distributor, "item_id": item.pk, "copies": 1}, {"copies": 2})


def email(cast: Cast) -> Asked:
    """E9."""
    request = {"actor": cast.mobotix, "item_id": issue_item(cast).pk, "recipients": ["a@twin.example"]}
    return Asked(email_line_items, request, {"recipients": ["b@twin.example"]})


def all_again(cast: Cast) -> Asked:
    """N2."""
    make_failed_mail()
    return Asked(send_all_again, {"actor": cast.mobotix}, {})


def none_again(cast: Cast) -> Asked:
    """N2, where nothing has failed."""
    return Asked(send_all_again, {"actor": cast.mobotix}, {})


KEYED: dict[str, Callable[[Cast], Asked]] = {
    "accounts.services.accounts._create_account": new_account,
    "accounts.services.accounts._create_account 2": new_account_with_person,
    "accounts.services.users._create_user": new_user,
    "accounts.services.credentials.send_credentials": new_credentials,
    "accounts.services.api_tokens.create_api_token": new_token,
    "entitlements.orders.services.products._save_product": new_product,
    "entitlements.orders.services.products._save_product 2": changed_product,
    "entitlements.orders.services.issue.create_entitlement": new_entitlement,
    "entitlements.orders.services.issue.create_entitlement 2": new_entitlement_deployed,
    "entitlements.orders.services.issue.add_lines": new_lines,
    "entitlements.orders.services.issue.deploy_entitlement": deployment,
    "entitlements.orders.services.states.change_state": state,
    "entitlements.orders.services.corrections.change_quantity": quantity,
    "entitlements.orders.services.replacing.replace_activation_id": replacement,
    "entitlements.orders.services.transfer.transfer_account": moving,
    "entitlements.splits.services.split.split_line_item": split,
    "entitlements.bulk.services.split._bulk_split": splits,
    "entitlements.bulk.services.requests._start": bulk_start,
    "entitlements.bulk.services.requests._correct": bulk_correction,
    "entitlements.bulk.services.requests._carry_out": bulk_carried_out,
    "entitlements.bulk.services.requests._undo": bulk_undo,
    "entitlements.bulk.services.requests.discard_bulk_split": bulk_discard,
    "entitlements.bulk.services.requests._email": bulk_email,
    "entitlements.splits.services.undo.undo_split": undo,
    "entitlements.mailing.services.queue.email_line_items": email,
    "entitlements.mailing.services.resending.send_all_again": all_again,
    "entitlements.mailing.services.resending.send_all_again 2": none_again,
}
