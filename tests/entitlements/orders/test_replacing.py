"""E5: an Activation ID that came into wrong hands is replaced."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User, UserStatus
from entitlements.items.search import find_by_activation_id
from entitlements.mailing.services.queue import email_line_items
from entitlements.mailing.services.resending import send_again
from entitlements.models import LineItem, State
from entitlements.orders.services.replacing import replace_activation_id
from entitlements.orders.services.states import change_state
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, Status
from notifications.registry import render
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, Chain, issue_item, split_item

pytestmark = pytest.mark.django_db
REASON = "Sent to a wrong address"


def address(item: LineItem) -> str:
    return reverse("line_item_replace", args=[item.pk])


def typed(**changes: Any) -> dict[str, Any]:
    return {"key": new_key(), "reason": REASON, "send_mail": "on"} | changes


def replaced(cast: Cast, item: LineItem, **changes: Any) -> tuple[str, LineItem]:
    """The old ID, and the item with its new one."""
    old = LineItem.objects.get(pk=item.pk).activation_id
    assert client_of(cast.mobotix).post(address(item), typed(**changes)).status_code == 302
    return old, LineItem.objects.get(pk=item.pk)


def test_a_new_id_takes_its_place(cast: Cast, chain: Chain) -> None:
    """E5: at once; copies, splits and the verification code stay."""
    response = client_of(cast.distributor).post(address(chain.installed), typed(), follow=True)
    item = LineItem.objects.get(pk=chain.installed.pk)

    assert item.activation_id != chain.installed.activation_id
    assert item.activation_id_end == item.activation_id_tail.lower() != chain.installed.activation_id_end
    assert item.activation_id in html_of(response)
    assert (item.quantity, item.available, item.split) == (40, 35, 5)
    assert item.verification_code == chain.installed.verification_code


def test_the_old_id_says_nothing_any_more(cast: Cast, chain: Chain) -> None:
    """E5: neither in full nor by its last group; the new one is found."""
    old, item = replaced(cast, chain.served)
    for person in (cast.mobotix, cast.installer):
        client = client_of(person)
        assert find_by_activation_id(person, old) is None
        assert find_by_activation_id(person, item.activation_id) == item
        response = client.post(reverse("line_item_search"), {"q": old}, follow=True)
        assert "No line item with this Activation ID" in html_of(response)
        assert not client.get(reverse("line_item_list"), {"q": old[-4:]}).context["rows"]
        assert client.get(reverse("line_item_list"), {"q": item.activation_id[-4:]}).context["rows"]


def test_the_history_keeps_its_last_group_and_the_trail_a_hash(cast: Cast, chain: Chain) -> None:
    """E5: nobody reads the old ID anywhere; the reason is for parties (E12)."""
    old, item = replaced(cast, chain.served, reason="City Hospital lost it")
    history = reverse("line_item_history", args=[item.pk])
    for person, knows in ((cast.installer, True), (cast.mobotix, True), (cast.distributor, False)):
        page = html_of(client_of(person).get(history))
        assert f"The one before ended in {old[-4:]}." in page
        assert old not in page
        assert ("City Hospital lost it" in page) is knows
    entry = AuditEntry.objects.get(action="activation_id_replaced")
    assert old not in str(entry.details)
    assert len(entry.details["sha256"]) == 64


def test_the_contact_gets_the_new_id(cast: Cast, chain: Chain) -> None:
    """E5: ticked; the mail says which one it replaces."""
    old, item = replaced(cast, chain.served)
    mail = item.mails.latest("pk")
    message = render(mail)

    assert mail.recipient_email == cast.customer_contact.email
    assert message
    for text in (message.text, message.html):
        assert item.activation_id in text
        assert f"The Activation ID below replaces the one that ended in {old[-4:]}" in text
        assert old not in text


@pytest.mark.parametrize("tick", [{"send_mail": ""}, {}])
def test_no_mail_where_nobody_wants_or_can_get_one(cast: Cast, chain: Chain, tick: dict[str, str]) -> None:
    """U7: unticked, or the contact is inactive: the form does not offer it then."""
    if not tick:
        User.objects.filter(pk=cast.customer_contact.pk).update(status=UserStatus.INACTIVE)
        assert "id_send_mail" not in html_of(client_of(cast.mobotix).get(address(chain.served)))
    data = typed() | tick
    if not data["send_mail"]:
        del data["send_mail"]
    assert client_of(cast.mobotix).post(address(chain.served), data).status_code == 302
    assert not chain.served.mails.exists()


def mail_to_stranger(cast: Cast, chain: Chain) -> Mail:
    (mail,) = email_line_items(
        actor=cast.installer, item_id=chain.served.pk, recipients=["wrong@stranger.example"], key=new_key()
    )
    return mail


def test_a_mail_that_waits_does_not_bring_the_new_id(cast: Cast, chain: Chain) -> None:
    """E5, N2: neither when it comes to be sent, nor by "Send again"."""
    mail = mail_to_stranger(cast, chain)
    assert render(mail)
    replaced(cast, chain.served)
    assert render(mail) is None
    Mail.objects.filter(pk=mail.pk).update(status=Status.FAILED, failure=Failure.REFUSED)
    assert render(send_again(actor=cast.installer, mail_id=mail.pk)) is None


def test_of_several_lines_the_others_are_still_sent(cast: Cast, chain: Chain) -> None:
    """E9: a mail of a whole entitlement leaves out the line whose ID was replaced."""
    first, second = (
        split_item(cast.installer, chain.installed, cast.customer, copies=1, order_number="PO-7")
        for _ in range(2)
    )
    (mail,) = email_line_items(
        actor=cast.installer,
        item_id=first.pk,
        recipients=["wrong@stranger.example"],
        key=new_key(),
        whole_entitlement=True,
    )
    _old, item = replaced(cast, first)
    message = render(mail)
    assert message
    assert second.activation_id in message.text
    assert item.activation_id not in message.text


def test_who_had_the_old_id_hears_no_more_of_the_new_one(cast: Cast, chain: Chain) -> None:
    """E5, E8: an undo later tells those who have the ID that is valid, and not the stranger."""
    mail_to_stranger(cast, chain)
    replaced(cast, chain.served)
    Mail.objects.filter(line_items=chain.served).update(status=Status.SENT, sent_at=timezone.now())
    undo_split(actor=cast.installer, item_id=chain.served.pk, copies=1, key=new_key())
    told = Mail.objects.filter(kind="entitlements.undone").values_list("recipient_email", flat=True)
    assert list(told) == [cast.customer_contact.email]


def test_the_verification_page_says_that_an_old_certificate_is_old(cast: Cast, chain: Chain) -> None:
    """E10: genuine, but what is printed on it was replaced; no ID, no name."""
    verify = reverse("verify", args=[chain.served.verification_code])
    sentence = "shows an Activation ID that is no longer valid"
    assert sentence not in html_of(client_of(cast.mobotix).get(verify))
    old, item = replaced(cast, chain.served)
    page = html_of(client_of(cast.mobotix).get(verify))
    assert sentence in page
    for secret in (old, old[-4:], item.activation_id, REASON, "City Hospital"):
        assert secret not in page


def test_twice_is_once(cast: Cast, chain: Chain) -> None:
    """E7: one new ID, one mail; another click with another form makes another."""
    data, client = typed(), client_of(cast.installer)
    client.post(address(chain.served), data)
    first = LineItem.objects.get(pk=chain.served.pk)
    client.post(address(chain.served), data)
    assert LineItem.objects.get(pk=chain.served.pk).activation_id == first.activation_id
    assert first.mails.count() == 1
    client.post(address(chain.served), typed())
    assert LineItem.objects.get(pk=chain.served.pk).activation_id != first.activation_id


def test_a_reason_is_needed_from_everybody(cast: Cast, chain: Chain) -> None:
    """E5: a replaced ID is always explained."""
    for person in (cast.mobotix, cast.installer):
        response = client_of(person).post(address(chain.served), typed(reason=" "))
        assert "Enter why the ID is replaced" in str(errors_of(response))
    assert LineItem.objects.get(pk=chain.served.pk).activation_id == chain.served.activation_id


@pytest.mark.parametrize("state", [State.DRAFT, State.OBSOLETE, State.INACTIVE])
def test_by_state(cast: Cast, state: State) -> None:
    """E3: what nobody uses has no ID to replace; an inactive item's may be in wrong hands all the same."""
    item = issue_item(cast, deploy=state != State.DRAFT)
    if state != State.DRAFT:
        change_state(actor=cast.mobotix, item_id=item.pk, state=state, key=new_key())
    client = client_of(cast.mobotix)
    if state == State.INACTIVE:
        replaced(cast, item)
        assert not item.mails.exists(), "E3: only what is deployed is mailed"
        return
    assert "the Activation ID cannot be replaced" in html_of(client.get(address(item)))
    assert "the Activation ID cannot be replaced" in html_of(client.post(address(item), typed()))


def test_who_may(cast: Cast, chain: Chain) -> None:
    """E13: its seller's admins and MOBOTIX; not the owner's, nor those further up, nor anybody's viewer."""
    assert_statuses(
        address(chain.installed),
        [
            (cast.mobotix, 200),
            (cast.distributor, 200),
            (cast.installer, 403),
            (cast.distributor_viewer, 403),
            (cast.sibling_installer, 404),
            (cast.other_distributor, 404),
        ],
    )
    assert_statuses(address(chain.served), [(cast.installer, 200), (cast.distributor, 403)])
    for person in (cast.installer, cast.mobotix_viewer):
        with pytest.raises(PermissionDenied):
            replace_activation_id(actor=person, item_id=chain.installed.pk, key=new_key(), reason=REASON)
