"""N2: what operators do about mails that failed."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from entitlements.mailing.services.queue import queue_activation_mail
from notifications.models import Failure, Mail, Status
from tests.factories import Cast, Chain

pytestmark = pytest.mark.django_db
KIND = "entitlements.activation"


def run(name: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def mail(cast: Cast, chain: Chain) -> Mail:
    """A failed one that brings an Activation ID to the end customer's contact."""
    (mail,) = queue_activation_mail(
        items=[chain.served],
        recipients=[cast.customer_contact.email],
        actor=cast.installer,
        certificate=False,
    )
    reply = f"550 5.1.1 {mail.recipient_email} unknown"
    Mail.objects.update(status=Status.FAILED, failure=Failure.REFUSED, server_reply=reply, attempts=3)
    mail.refresh_from_db()
    return mail


def test_list_masks_addresses_and_tells_no_secret(mail: Mail, chain: Chain) -> None:
    """N4: neither an address nor an Activation ID, unless the address is asked for."""
    listed = run("list_failed_mails")
    assert f"{mail.pk}\t" in listed
    assert "\trefused" in listed
    assert mail.recipient_email not in listed
    assert f"{mail.recipient_email[0]}…@{mail.recipient_email.partition('@')[2]}" in listed
    whole = run("list_failed_mails", "--addresses")
    assert f"{mail.recipient_email} unknown" in whole
    assert chain.served.activation_id not in listed + whole


def test_filters(mail: Mail) -> None:
    tomorrow = f"{timezone.localdate() + timedelta(days=1)}"
    assert str(mail.pk) in run("list_failed_mails", "--kind", KIND, "--since", "2020-01-01").split()
    assert len(run("list_failed_mails", "--since", tomorrow).splitlines()) == 1
    assert len(run("list_failed_mails", "--kind", "accounts.credentials").splitlines()) == 1
    for wrong in (["--kind", "letters"], ["--since", "yesterday"], ["--since", "2026-02-30"]):
        with pytest.raises(CommandError):
            run("list_failed_mails", *wrong)


def test_send_again_asks_which(mail: Mail) -> None:
    with pytest.raises(CommandError):
        run("send_mails_again")
    mail.refresh_from_db()
    assert mail.status == Status.FAILED


@pytest.mark.parametrize("which", [["--all"], ["--kind", KIND], ["--since", "2020-01-01"], ["ID"]])
def test_send_again_goes_to_the_present_address(cast: Cast, mail: Mail, which: list[str]) -> None:
    """N8: and the second time there is nothing to do."""
    cast.customer_contact.email = "typo@customer.example"
    cast.customer_contact.save()
    arguments = [str(mail.pk) if one == "ID" else one for one in which]
    assert "again: 1." in run("send_mails_again", *arguments)
    mail.refresh_from_db()
    assert (mail.status, mail.recipient_email) == (Status.QUEUED, "typo@customer.example")
    assert "again: 0." in run("send_mails_again", *arguments)


@pytest.mark.parametrize("name", ["list_failed_mails", "send_mails_again"])
def test_help_says_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(name, "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "given up" in text
    assert KIND in text
