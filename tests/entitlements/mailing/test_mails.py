"""What the mails of Activation IDs and of taken-back copies say."""

import io
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.models import LineItem, State
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.messages import Message
from notifications.models import Mail, Status
from notifications.registry import render
from tests.factories import Cast, issue_item, make_product, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(cast: Cast) -> LineItem:
    return split_item(
        cast.distributor,
        issue_item(cast, order_number="UPSTREAM-1"),
        cast.installer.account,
        order_number="PO-5",
    )


def mail_of(cast: Cast, *items: LineItem, to: str = "", certificate: bool = False) -> Mail:
    recipients = [to or cast.installer.email]
    (mail,) = queue_activation_mail(
        items=items, recipients=recipients, actor=cast.distributor, certificate=certificate
    )
    return mail


def said(mail: Mail) -> Message:
    message = render(mail)
    assert message is not None
    return message


def test_end_customers_read_where_to_activate_without_a_login(cast: Cast, item: LineItem) -> None:
    """L3: they have none; a partner activates in the portal."""
    served = split_item(cast.installer, item, cast.customer, copies=1)
    address = settings.SITE_URL + reverse("offline_activation")
    for one, expected in ((served, True), (item, False)):
        message = said(mail_of(cast, one))
        assert [address in text for text in (message.text, message.html)] == [expected] * 2


def test_it_brings_the_activation_id(cast: Cast, item: LineItem) -> None:
    """E9: in both parts: ID, product, quantity, dates, the buyer's order number and the page to verify."""
    message = said(mail_of(cast, item))
    verify = reverse("verify", args=[item.verification_code])

    for text in (message.text, message.html):
        for part in (
            item.activation_id,
            "Video Analytics",
            cast.product.part_number,
            "10",
            "Permanent",
            "PO-5",
        ):
            assert part in text
        assert verify in text
        assert "Nordlicht Distribution" in text
        assert "UPSTREAM-1" not in text
    assert item.activation_id not in message.subject
    assert item.entitlement.entitlement_id in message.subject
    assert not message.attachments


def test_several_lines_are_one_mail(cast: Cast, item: LineItem) -> None:
    """E7: each with its own ID."""
    other = split_item(
        cast.distributor,
        issue_item(cast, product_id=make_product(name_en="Second").pk),
        cast.installer.account,
        order_number="PO-5",
    )
    message = said(mail_of(cast, item, other))

    assert item.activation_id in message.text
    assert other.activation_id in message.text
    assert "Your Activation IDs from Nordlicht Distribution" in message.subject


def test_in_the_recipients_language_with_the_certificate(cast: Cast, item: LineItem) -> None:
    """E9, E10, N3: a German reader gets a German mail and a German certificate."""
    cast.installer.language = "de"
    cast.installer.save()
    message = said(mail_of(cast, item, certificate=True))
    ((name, content, kind),) = message.attachments
    pdf = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)

    assert "Videoanalyse" in message.text
    assert (name, kind) == (f"certificate-{item.entitlement.entitlement_id}.pdf", "application/pdf")
    assert "Videoanalyse" in pdf
    assert item.activation_id in pdf


def test_names_cannot_break_out(cast: Cast, item: LineItem) -> None:
    """N3: no header, no markup; in the text part an O'Neill stays one."""
    seller = cast.distributor.account
    seller.name = "O'Neill <script>{{ x }}\r\nBcc: a@b.example"
    seller.save()
    message = said(mail_of(cast, item))

    assert "\n" not in message.subject
    assert "<script>" not in message.html
    assert "O'Neill" in message.text


@pytest.mark.parametrize("state", [State.INACTIVE, State.OBSOLETE])
def test_not_needed_once_nothing_is_usable(cast: Cast, item: LineItem, state: State) -> None:
    """E3, N1: what was true when the mail was written need not be when it goes out."""
    mail = mail_of(cast, item)
    LineItem.objects.filter(pk=item.pk).update(state=state)

    assert render(mail) is None


def test_not_needed_once_expired(cast: Cast, item: LineItem) -> None:
    """E14."""
    mail = mail_of(cast, item)
    past = timezone.localdate() - timedelta(days=3)
    LineItem.objects.filter(pk=item.pk).update(starts_on=past, expires_on=past)

    assert render(mail) is None


def undone(cast: Cast, item: LineItem, copies: int) -> Message:
    sent = mail_of(cast, item)
    Mail.objects.filter(pk=sent.pk).update(status=Status.SENT, sent_at=timezone.now())
    undo_split(actor=cast.distributor, item_id=item.pk, copies=copies, key=new_key())
    return said(item.mails.get(kind="entitlements.undone"))


def test_some_were_taken_back(cast: Cast, item: LineItem) -> None:
    """E8: how many, of what, and how many stay; the whole ID is not repeated."""
    message = undone(cast, item, 4)

    for text in (message.text, message.html):
        assert "4 licenses of Video Analytics" in text
        assert "6 licenses remain" in text
        assert item.activation_id_tail in text
        assert item.activation_id not in text
    assert message.subject == "4 licenses of Video Analytics were taken back"


def test_all_were_taken_back(cast: Cast, item: LineItem) -> None:
    """E8: the ID is of no use any more."""
    assert "This Activation ID can no longer be used." in undone(cast, item, 10).text
