"""N8: "Send again" goes to where the person is now, and never further than E9 lets anybody send it."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.mails import render_credentials
from accounts.models import User
from accounts.services.credentials import queue_user_mail, retry_user_mail
from accounts.services.users import update_user
from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.mailing.services.resending import (
    correct_and_send_again,
    correctable,
    send_again,
    send_all_again,
)
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, Status
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, Chain

pytestmark = pytest.mark.django_db
OLD, NEW = "tyop@customer.example", "typo@customer.example"


def failed(mail: Mail, **changes: object) -> Mail:
    Mail.objects.filter(pk=mail.pk).update(status=Status.FAILED, failure=Failure.REFUSED, **changes)
    mail.refresh_from_db()
    return mail


@pytest.fixture
def contact(cast: Cast) -> User:
    """Of the end customer, with a typing error."""
    cast.customer_contact.email = OLD
    cast.customer_contact.save()
    return cast.customer_contact


@pytest.fixture
def mail(cast: Cast, chain: Chain, contact: User) -> Mail:
    """A failed mail to the contact about its own line item."""
    (mail,) = queue_activation_mail(
        items=[chain.served], recipients=[OLD], actor=cast.installer, certificate=False
    )
    return failed(mail)


def correct(contact: User) -> None:
    contact.email = NEW
    contact.save()


def test_corrected_contact_gets_the_mail(cast: Cast, mail: Mail, contact: User) -> None:
    """N8: with a Message-ID of its own, for the servers of the old address know the other one."""
    before = mail.message_id
    correct(contact)
    sent = send_again(actor=cast.installer, mail_id=mail.pk)
    assert (sent.recipient_email, sent.status, sent.attempts) == (NEW, Status.QUEUED, 0)
    assert sent.message_id != before


def test_unchanged_contact_gets_the_same_mail(cast: Cast, mail: Mail) -> None:
    before = mail.message_id
    sent = send_again(actor=cast.installer, mail_id=mail.pk)
    assert (sent.recipient_email, sent.message_id) == (OLD, before)


def test_older_mails_are_known_by_name(cast: Cast, mail: Mail, contact: User) -> None:
    context = {name: value for name, value in mail.context.items() if name != "contact"}
    failed(mail, context=context)
    correct(contact)
    assert send_again(actor=cast.installer, mail_id=mail.pk).recipient_email == NEW


def test_typed_addresses_stay(cast: Cast, chain: Chain, contact: User) -> None:
    """E9, N8: who is none of the owner's people has no other address."""
    (mail,) = queue_activation_mail(
        items=[chain.served], recipients=["lawyer@elsewhere.example"], actor=cast.installer, certificate=False
    )
    failed(mail)
    correct(contact)
    assert send_again(actor=cast.installer, mail_id=mail.pk).recipient_email == "lawyer@elsewhere.example"
    with pytest.raises(Mail.DoesNotExist):
        correctable(cast.installer, failed(mail).pk)


@pytest.mark.parametrize("whose", ["other_installer", "installer_viewer"])
def test_no_mail_goes_to_people_of_another_account(cast: Cast, mail: Mail, whose: str) -> None:
    """E9, N8: whatever person a mail names, only people of the items' owner get it, and only active ones."""
    failed(mail, context=mail.context | {"contact": getattr(cast, whose).pk})
    assert send_again(actor=cast.installer, mail_id=mail.pk).recipient_email == OLD


def test_inactive_contacts_get_nothing_new(cast: Cast, mail: Mail, contact: User) -> None:
    contact.status = "inactive"
    correct(contact)
    assert send_again(actor=cast.installer, mail_id=mail.pk).recipient_email == OLD


def test_all_failed_go_to_present_addresses(cast: Cast, chain: Chain, mail: Mail, contact: User) -> None:
    """N8: "Send all failed again" as well."""
    (other,) = queue_activation_mail(
        items=[chain.served], recipients=["x@elsewhere.example"], actor=cast.installer, certificate=False
    )
    failed(other)
    correct(contact)
    assert send_all_again(actor=cast.installer, key=new_key()) == 2
    assert set(Mail.objects.filter(pk__in=[mail.pk, other.pk]).values_list("recipient_email", "status")) == {
        (NEW, Status.QUEUED),
        ("x@elsewhere.example", Status.QUEUED),
    }


def test_a_mail_on_its_way_is_not_turned_round(cast: Cast, mail: Mail, contact: User) -> None:
    """N1: somebody is delivering it to the old address at this moment."""
    lease = timezone.now() + timedelta(minutes=1)
    Mail.objects.filter(pk=mail.pk).update(status=Status.QUEUED, claimed_until=lease)
    correct(contact)
    with pytest.raises(ValidationError):
        send_again(actor=cast.installer, mail_id=mail.pk)


def test_correct_and_send_again(cast: Cast, mail: Mail, contact: User) -> None:
    """N8: the contact has the address, and so has the mail."""
    client = client_of(cast.installer)
    page = client.get(reverse("mail_correct", args=[mail.pk]))
    assert OLD in html_of(page)
    assert reverse("user_detail", args=[contact.pk]) in html_of(page)
    assert (
        html_of(page).partition("<main")[2].count("<form") == 1
    )  # within another one, its button does nothing
    answer = client.post(reverse("mail_correct", args=[mail.pk]), {"email": NEW, "key": new_key()})
    assert answer.status_code == 302
    contact.refresh_from_db()
    mail.refresh_from_db()
    assert (contact.email, mail.recipient_email, mail.status) == (NEW, NEW, Status.QUEUED)


def test_nonsense_is_said_at_the_field(cast: Cast, mail: Mail) -> None:
    client = client_of(cast.installer)
    page = client.post(reverse("mail_correct", args=[mail.pk]), {"email": "no address", "key": new_key()})
    assert page.status_code == 200
    mail.refresh_from_db()
    assert (mail.recipient_email, mail.status) == (OLD, Status.FAILED)


def test_strangers_correct_nothing(cast: Cast, mail: Mail) -> None:
    """U4, E12: neither who does not see the mail, nor who sees it and does not manage the person."""
    with pytest.raises(Mail.DoesNotExist):
        correct_and_send_again(actor=cast.other_installer, mail_id=mail.pk, email=NEW)
    with pytest.raises(PermissionDenied):
        correct_and_send_again(actor=cast.installer_viewer, mail_id=mail.pk, email=NEW)


@pytest.mark.parametrize("page", ["item", "list", "home"])
def test_pages_say_where_it_goes(cast: Cast, chain: Chain, mail: Mail, contact: User, page: str) -> None:
    """N8: with the new address on the button, and the way to correct it beside."""
    correct(contact)
    address = {
        "item": reverse("line_item_detail", args=[chain.served.pk]),
        "list": reverse("mail_list"),
        "home": reverse("home"),
    }[page]
    html = html_of(client_of(cast.installer).get(address))
    assert f"Send again to {NEW}" in html
    assert reverse("mail_correct", args=[mail.pk]) in html


def test_credentials_follow_the_person_alone(cast: Cast) -> None:
    """N8, U4: the password goes to nobody but the present address; the older mail is not sent any more."""
    user = cast.installer_viewer
    user.must_change_password = True
    user.save()
    mail = failed(queue_user_mail(user, "accounts.credentials"))
    User.objects.filter(pk=user.pk).update(email=NEW, email_key=NEW, login=NEW)
    assert render_credentials(mail) is None
    sent = retry_user_mail(actor=cast.installer, user_id=user.pk, mail_id=mail.pk)
    assert sent.recipient_email == NEW
    assert render_credentials(sent) is not None


def test_a_login_that_is_corrected_gets_its_credentials_once(cast: Cast, client: Client) -> None:
    """U4, N8: the change of the address brings new ones, and the older mail says nothing any more."""
    user = cast.installer_viewer
    user.must_change_password = True
    user.save()
    mail = failed(queue_user_mail(user, "accounts.credentials"))
    update_user(actor=cast.installer, user_id=user.pk, email=NEW)
    sent = retry_user_mail(actor=cast.installer, user_id=user.pk, mail_id=mail.pk)
    newest = user.mails.filter(kind="accounts.credentials").latest("pk")
    assert newest.pk != sent.pk
    assert render_credentials(sent) is None
    assert render_credentials(newest) is not None
