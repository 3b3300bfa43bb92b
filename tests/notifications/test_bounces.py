"""An address that refuses mails is remembered until a mail gets through (N2)."""

import pytest

from notifications import registry
from notifications.bounces import refusals_of
from notifications.models import Mail, RefusedAddress, Status
from notifications.services import deliver_mails, retry_mail

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@installer.example"


@pytest.fixture(autouse=True)
def nobody_rings(celery_with):
    celery_with("memory://")


def test_a_permanent_refusal_stands_until_a_mail_gets_through(smtp, queue):
    """N2: 5xx at RCPT; addresses are compared without case; another address does not matter."""
    smtp.refusals = {ALICE: "550 5.1.1 No such user"}
    mail = queue()
    deliver_mails([mail.pk, queue(recipient_email="bob@installer.example").pk])
    refusal = refusals_of(["Alice@Installer.example"])["Alice@Installer.example"]
    assert refusal.reply == "550 5.1.1 No such user"
    assert refusals_of(["bob@installer.example", "new@installer.example"]) == {}
    smtp.refusals = {}
    deliver_mails([queue(recipient_email="ALICE@installer.example").pk])
    assert refusals_of([ALICE]) == {}


def test_the_newest_refusal_counts(smtp, queue):
    for reply in ("550 No such user", "550 Mailbox closed"):
        smtp.refusals = {ALICE: reply}
        deliver_mails([queue().pk])
    assert [refused.reply for refused in RefusedAddress.objects.all()] == ["550 Mailbox closed"]


def test_the_same_mail_sent_again(smtp, queue):
    """N2: "Send again" alone does not clear the refusal; a delivery does."""
    smtp.refusals = {ALICE: "550 No"}
    mail = queue()
    deliver_mails([mail.pk])
    smtp.refusals = {}
    retry_mail(mail.pk)
    assert ALICE in refusals_of([ALICE])
    deliver_mails([mail.pk])
    assert refusals_of([ALICE]) == {}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("trouble", ["451 Greylisted", "530 Authentication required", "not needed", "a bug"])
def test_what_says_nothing_about_the_address(smtp, queue, letter, trouble, known):
    """A pause, the portal's own login, a mail not needed any more or one with a bug are neither a refusal nor a
    success.
    """
    mail = queue(context={"number": 1})
    if known:
        RefusedAddress.objects.create(address_key=ALICE, refused_at=mail.created_at, reply="550 No")
    smtp.refusals = {ALICE: trouble} if trouble[0].isdigit() else {}
    letter.needed, letter.raises = trouble != "not needed", {1} if trouble == "a bug" else set()
    deliver_mails([mail.pk])
    assert (ALICE in refusals_of([ALICE])) is known


def test_who_lost_the_lease_notes_nothing(smtp, queue, letter):
    """N1: a late deliverer changes neither the mail nor the state of its address."""
    smtp.refusals = {ALICE: "550 No"}
    mail = queue()
    render = letter.render

    def render_until_the_lease_is_over(row):
        Mail.objects.filter(pk=mail.pk).update(status=Status.QUEUED, claimed_until=None)
        return render(row)

    registry._renderers["letter"] = render_until_the_lease_is_over
    deliver_mails([mail.pk])
    assert refusals_of([ALICE]) == {}


def test_refusals_of_many_are_one_query(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        refusals_of(f"a{n}@x.example" for n in range(50))
