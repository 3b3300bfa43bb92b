"""U4, U8: temporary passwords and one-time links, made when their mail is delivered."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import Account, User
from accounts.services.credentials import (
    drop_unknown_resets,
    request_password_reset,
    retry_user_mail,
    send_credentials,
)
from entitlements.mailing.pages.mail_list import list_mails
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, Status
from notifications.services import deliver_mails
from tests.factories import PASSWORD, Cast


def deliver(mail: Mail) -> Mail:
    deliver_mails([mail.pk])
    mail.refresh_from_db()
    return mail


def text_of_last_mail() -> str:
    return str(outbox.outbox[-1].body)


def password_in(text: str) -> str:
    return re.search(r"^.*[Pp]ass\w*: (\S{16})$", text, re.MULTILINE)[1]  # type: ignore[index]


def test_password_is_made_at_delivery(cast: Cast) -> None:
    """U4: the present password holds until the delivery; the new one is kept as a hash only and lasts 7 days."""
    mail = send_credentials(actor=cast.installer, user_id=cast.installer_viewer.pk, key=new_key())
    assert User.objects.get(pk=cast.installer_viewer.pk).check_password(PASSWORD)
    assert deliver(mail).status == Status.SENT
    user = User.objects.get(pk=cast.installer_viewer.pk)
    password = password_in(text_of_last_mail())
    assert user.check_password(password)
    assert user.must_change_password
    assert timedelta(days=6, hours=23) < user.temporary_password_until - timezone.now() <= timedelta(days=7)
    assert mail.subject == ""
    assert password not in str(mail.context)
    assert user.login in text_of_last_mail()


@pytest.mark.parametrize(("language", "subject"), [("en", "Your login"), ("de", "")])
def test_credentials_in_the_users_language(cast: Cast, language: str, subject: str) -> None:
    """U4: text and HTML, in the recipient's language."""
    User.objects.filter(pk=cast.installer_viewer.pk).update(language=language)
    deliver(send_credentials(actor=cast.installer, user_id=cast.installer_viewer.pk, key=new_key()))
    message: Any = outbox.outbox[-1]
    assert message.subject.startswith(subject)
    assert f'lang="{language}"' in message.alternatives[0][0]


def test_mail_that_comes_too_late(cast: Cast) -> None:
    """U4: after the user has set a password, a late delivery does nothing."""
    mail = send_credentials(actor=cast.installer, user_id=cast.installer_viewer.pk, key=new_key())
    user = User.objects.get(pk=cast.installer_viewer.pk)
    user.set_password("chosen by themselves")
    user.save()
    assert deliver(mail).status == Status.CANCELLED
    assert User.objects.get(pk=user.pk).check_password("chosen by themselves")


def test_only_the_newest_mail_counts(cast: Cast) -> None:
    """U4: of two mails on their way, the older makes no password."""
    first, second = (
        send_credentials(actor=cast.installer, user_id=cast.installer_viewer.pk, key=new_key())
        for __ in range(2)
    )
    assert deliver(first).status == Status.CANCELLED
    assert deliver(second).status == Status.SENT


def test_who_sends_credentials(cast: Cast) -> None:
    """U4: not a viewer, not an outsider; the seller only until the first admin has logged in."""
    target = cast.installer_viewer.pk
    with pytest.raises(PermissionDenied):
        send_credentials(actor=cast.installer_viewer, user_id=target, key=new_key())
    with pytest.raises(User.DoesNotExist):
        send_credentials(actor=cast.sibling_installer, user_id=target, key=new_key())
    assert send_credentials(actor=cast.distributor, user_id=target, key=new_key())
    Account.objects.filter(pk=cast.installer.account_id).update(taken_over_at=timezone.now())
    with pytest.raises(User.DoesNotExist):
        send_credentials(actor=cast.distributor, user_id=target, key=new_key())


def test_send_again(cast: Cast) -> None:
    """N2: a failed mail is due again for who manages the person, and for nobody else; a sent one is not."""
    mail = send_credentials(actor=cast.installer, user_id=cast.installer_viewer.pk, key=new_key())
    Mail.objects.filter(pk=mail.pk).update(status=Status.FAILED, failure=Failure.REFUSED)
    with pytest.raises(User.DoesNotExist):
        retry_user_mail(actor=cast.sibling_installer, user_id=cast.installer_viewer.pk, mail_id=mail.pk)
    with pytest.raises(Mail.DoesNotExist):
        retry_user_mail(actor=cast.installer, user_id=cast.installer.pk, mail_id=mail.pk)
    retry_user_mail(actor=cast.installer, user_id=cast.installer_viewer.pk, mail_id=mail.pk)
    assert deliver(mail).status == Status.SENT
    with pytest.raises(ValidationError):
        retry_user_mail(actor=cast.installer, user_id=cast.installer_viewer.pk, mail_id=mail.pk)


def test_reset_for_active_logins_only(cast: Cast) -> None:
    """U8: a link for an active login, in any letter case; silence for contacts, strangers, inactive accounts.

    The same row for each: who it is for is seen at delivery.
    """
    Account.objects.filter(pk=cast.other_installer.account_id).update(status="inactive")
    silent = (cast.customer_contact.email, "nobody@nowhere.example", cast.other_installer.email)
    for email in (cast.installer.email.upper(), *silent):
        request_password_reset(email=email)
    mails = list(Mail.objects.order_by("pk"))
    assert {(mail.kind, mail.status, str(mail.context)) for mail in mails} == {
        ("accounts.password_reset", Status.QUEUED, "{}")
    }
    deliver_mails([mail.pk for mail in mails])
    statuses = Mail.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == [Status.SENT] + [Status.CANCELLED] * 3
    assert [mail.to for mail in outbox.outbox] == [[f"{cast.installer} <{cast.installer.email}>"]]
    assert list(User.objects.get(pk=cast.installer.pk).mails.all()) == [mails[0]]


def test_a_reset_goes_to_the_address_that_is_known(cast: Cast) -> None:
    """U8: whoever owns an address that is folded to a user's gets nothing."""
    User.objects.filter(pk=cast.installer.pk).update(
        email="peter.shaw@inst.example", email_key="peter.shaw@inst.example", login="peter.shaw@inst.example"
    )
    request_password_reset(email="peter.\u017fhaw@inst.example")
    deliver_mails([Mail.objects.get().pk])
    assert "<peter.shaw@inst.example>" in outbox.outbox[0].to[0]


def test_addresses_of_nobody_are_forgotten(cast: Cast) -> None:
    """U8: what strangers type is not kept, and fills no list of MOBOTIX; a person's mails stay."""
    for email in ("nobody@nowhere.example", cast.installer.email):
        request_password_reset(email=email)
    deliver_mails(Mail.objects.values_list("pk", flat=True))
    assert list_mails(actor=cast.mobotix).rows.count() == 1
    assert drop_unknown_resets() == 0
    Mail.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert drop_unknown_resets() == 1
    assert Mail.objects.get().recipient_email == cast.installer.email


@pytest.mark.parametrize(
    ("language", "seconds", "said"),
    [
        ("en", 259_200, "It works once and is valid for 3 days:"),
        ("de", 259_200, "Er gilt einmal und bleibt 3 Tage lang gültig:"),
        ("de", 5_400, "1 Stunde, 30 Minuten lang gültig:"),
    ],
)
def test_reset_mail_says_how_long_its_link_lives(
    cast: Cast, settings: Any, language: str, seconds: int, said: str
) -> None:
    """U8: from the setting that ends the link, in the recipient's language, in both parts of the mail."""
    settings.PASSWORD_RESET_TIMEOUT = seconds
    User.objects.filter(pk=cast.installer.pk).update(language=language)
    request_password_reset(email=cast.installer.email)
    deliver(Mail.objects.get())
    sent = outbox.outbox[-1]
    for part in (str(sent.body), str(sent.alternatives[0][0])):
        assert said in " ".join(part.replace("\xa0", " ").split())


def test_reset_link_never_goes_to_an_old_address(cast: Cast) -> None:
    """U8: a link that waits while the address changes is not sent to the old one."""
    request_password_reset(email=cast.installer.email)
    user = User.objects.get(pk=cast.installer.pk)
    user.email = "moved@installer.example"
    user.save()
    assert deliver(Mail.objects.get()).status == Status.CANCELLED
    assert not outbox.outbox


def test_a_double_click_sends_one_mail(cast: Cast) -> None:
    """E7: the second mail would make the first one's password worthless."""
    key = new_key()
    one, other = (
        send_credentials(actor=cast.installer, user_id=cast.installer_viewer.pk, key=key) for __ in range(2)
    )
    assert one == other
