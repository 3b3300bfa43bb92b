"""Split, undo, e-mail (E6–E9)."""

from datetime import datetime
from functools import partial
from typing import Annotated

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from ninja import Router, Schema
from pydantic import Field

from accounts.permissions import Permission
from entitlements.api.answers import once
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.items import ItemOut, at_item, item_out
from entitlements.api.parties import find_buyer_ids
from entitlements.api.shapes import (
    AccountId,
    Copies,
    Email,
    IdempotencyKey,
    In,
    Reason,
    Text60,
    Text254,
)
from entitlements.items.predicates import is_party
from entitlements.mailing.services.queue import email_line_items, parse_recipients
from entitlements.models import LineItem
from entitlements.splits.services.split import split_line_item
from entitlements.splits.services.undo import undo_split
from notifications.models import Mail
from notifications.models import Status as MailStatus

router = Router(tags=["Splits"])
MAX_ADDRESSES = 100
MAILS_SHOWN = 100


class SplitIn(In):
    """``order_number`` is the buyer's order number: line items of the same order share one entitlement (E7)."""

    account_id: AccountId
    contact_email: Email
    copies: Copies
    order_number: Text60 = ""
    send_mail: bool = True
    attach_certificate: bool = False


class UndoIn(In):
    """The number of copies that go back to the line item that they were split from (E8)."""

    copies: Copies
    reason: Reason = ""


class MailIn(In):
    """The recipients of the Activation ID (E9)."""

    recipients: Annotated[list[Text254], Field(min_length=1, max_length=MAX_ADDRESSES)]
    whole_entitlement: bool = False
    attach_certificate: bool = False
    attach_licenses: bool = False
    reason: Reason = ""


class MailOut(Schema):
    """An e-mail and its status (N2)."""

    recipient: str
    status: MailStatus
    queued_at: datetime
    sent_at: datetime | None


@router.post("/items/{int:item_id}/splits", auth=Token(Permission.SPLIT), response={201: ItemOut})
def item_split(
    request: TokenRequest, item_id: int, body: SplitIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Split copies: they become a new line item of a buyer, with its own Activation ID."""

    def split() -> LineItem:
        target_id, contact_id = find_buyer_ids(request, body.account_id, body.contact_email)
        return split_line_item(
            actor=request.user,
            item_id=item_id,
            target_id=target_id,
            contact_id=contact_id,
            key=idempotency_key,
            **body.model_dump(exclude={"account_id", "contact_email"}),
        )

    return once(
        request,
        idempotency_key,
        split,
        lambda item: item_out(request.user, item.pk),
        status=201,
        headers=at_item,
    )


@router.post("/items/{int:item_id}/undo", auth=Token(Permission.UNDO_SPLIT), response=ItemOut)
def item_undo(
    request: TokenRequest, item_id: int, body: UndoIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Undo a split: copies go back. A buyer hands copies back with the same request."""
    undo = partial(undo_split, actor=request.user, item_id=item_id, key=idempotency_key, **body.model_dump())
    return once(request, idempotency_key, undo, lambda item: item_out(request.user, item.pk))


@router.post("/items/{int:item_id}/mails", auth=Token(Permission.SEND_MAIL), response={202: list[MailOut]})
def item_mail(
    request: TokenRequest, item_id: int, body: MailIn, idempotency_key: IdempotencyKey
) -> HttpResponse:
    """Send the Activation ID by e-mail. The answer does not wait for the delivery."""

    def send() -> list[Mail]:
        wanted = body.model_dump() | {"recipients": parse_recipients(",".join(body.recipients))}
        return email_line_items(actor=request.user, item_id=item_id, key=idempotency_key, **wanted)

    def show(item: LineItem) -> list[MailOut]:
        queued = item.mails.filter(request_key=idempotency_key).order_by("id")
        return [_mail_out(mail) for mail in queued]

    return once(request, idempotency_key, send, show, status=202)


@router.get("/items/{int:item_id}/mails", auth=Token(Permission.VIEW), response=list[MailOut])
def item_mails(request: TokenRequest, item_id: int) -> list[MailOut]:
    """List the newest hundred e-mails about a line item.

    Its owner, its seller, its serving account and MOBOTIX may see them.
    """
    item = LineItem.objects.visible_to(request.user).get(pk=item_id)
    if not is_party(request.user, item):
        raise PermissionDenied
    return [_mail_out(mail) for mail in item.mails.order_by("-pk")[:MAILS_SHOWN]]


def _mail_out(mail: Mail) -> MailOut:
    return MailOut(
        recipient=mail.recipient_email,
        status=MailStatus(mail.status),
        queued_at=mail.created_at,
        sent_at=mail.sent_at,
    )
