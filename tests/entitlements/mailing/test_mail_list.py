"""N2: the list of mails: who sees which, its filters, its pages, and "Send all failed again"."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import MailEntry, User
from accounts.services.credentials import send_credentials
from entitlements.mailing.services import resending
from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.mailing.services.resending import send_all_again
from entitlements.models import LineItem
from entitlements.orders.services.transfer import transfer_account
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, Status
from notifications.registry import kinds
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, Chain, issue_item, make_user, split_item

pytestmark = pytest.mark.django_db
LIST = "/mails/"


def mail_to(cast: Cast, target: User, *, source: LineItem | None = None, seller: User | None = None) -> Mail:
    """An Activation ID that a seller, by default the distributor, mails to a buyer."""
    item = split_item(
        seller or cast.distributor, source or issue_item(cast), target.account, copies=1, send_mail=True
    )
    return item.mails.get()


def fail(mail: Mail, reply: str = "550 5.1.1 No such user") -> Mail:
    Mail.objects.filter(pk=mail.pk).update(
        status=Status.FAILED, failure=Failure.REFUSED, server_reply=reply, attempts=1
    )
    mail.refresh_from_db()
    return mail


def listed(client: Client, **query: Any) -> list[int]:
    return [row.mail.pk for row in client.get(LIST, query).context["rows"]]


def readers(cast: Cast) -> dict[str, User]:
    return {
        name: person for name, person in vars(cast).items() if isinstance(person, User) and person.can_log_in
    }


@pytest.mark.slow
def test_parties_of_the_item_see_its_mails(cast: Cast, chain: Chain) -> None:
    """E5, E12: owner, seller and MOBOTIX; neither who is further up the chain nor anybody beside it."""
    mail = mail_to(cast, cast.customer_contact, source=chain.installed, seller=cast.installer)
    seeing = {"mobotix", "mobotix_viewer", "installer", "installer_viewer"}
    for name, person in readers(cast).items():
        assert listed(client_of(person)) == ([mail.pk] if name in seeing else []), name
    assert (
        LineItem.objects.visible_to(cast.distributor).filter(mails=mail).exists()
    )  # the row that could leak


@pytest.mark.slow
def test_mails_to_persons_are_for_who_manages_them(cast: Cast) -> None:
    """U4: for admins of the own account, of its seller until it is taken over, and for MOBOTIX."""
    newcomer = make_user(cast.installer.account, "Nora")
    mail = send_credentials(actor=cast.installer, user_id=newcomer.pk, key=new_key())
    seeing = {"mobotix", "mobotix_viewer", "installer", "distributor"}
    for name, person in readers(cast).items():
        assert listed(client_of(person)) == ([mail.pk] if name in seeing else []), name
    cast.installer.account.taken_over_at = timezone.now()
    cast.installer.account.save()
    assert listed(client_of(cast.distributor)) == []
    assert MailEntry.objects.filter(
        account=cast.distributor.account, mail=mail
    ).exists()  # an entry is no right


@pytest.mark.slow
def test_a_served_account_that_moved_away(cast: Cast, chain: Chain) -> None:
    """A4, A7, E17: the new seller sees the mails, but no subject, which may name a seller that it does not know; the
    former one sees none of them any more."""
    mail = mail_to(cast, cast.customer_contact, source=chain.installed, seller=cast.installer)
    Mail.objects.filter(pk=mail.pk).update(subject="From Blick Sicherheitstechnik")
    transfer_account(
        actor=cast.mobotix,
        account_id=cast.customer.pk,
        former_id=cast.installer.account_id,
        seller_id=cast.other_installer.account_id,
        key=new_key(),
        reason="Changed its installer",
    )
    client = client_of(cast.other_installer)
    assert listed(client, kind="entitlements.activation") == [mail.pk]
    assert "Blick" not in html_of(client.get(LIST))
    assert listed(client, q="Sicherheitstechnik") == []
    assert listed(client, q=mail.recipient_email[:6]) == [mail.pk]
    former = client_of(cast.installer)
    assert listed(former, kind="entitlements.activation") == listed(former, q="sicherheitstechnik") == []


@pytest.mark.slow
def test_filters(cast: Cast) -> None:
    """Status, kind, recipient, subject, period, line item; what is no choice narrows nothing."""
    waiting, failed = mail_to(cast, cast.installer), fail(mail_to(cast, cast.sibling_installer))
    colleague = make_user(cast.distributor.account, "Dirk")
    personal = send_credentials(actor=cast.distributor, user_id=colleague.pk, key=new_key())
    Mail.objects.filter(pk=waiting.pk).update(
        subject="Ihre Aktivierungs-ID", created_at=timezone.now() - timedelta(days=10)
    )
    client = client_of(cast.distributor)
    assert listed(client) == [personal.pk, failed.pk, waiting.pk]
    assert listed(client, status="failed") == [failed.pk]
    assert listed(client, status="queued") == [personal.pk, waiting.pk]
    assert listed(client, kind="accounts.credentials") == [personal.pk]
    assert listed(client, q=cast.installer.email.upper()) == [waiting.pk]
    assert listed(client, q="aktivierungs") == [waiting.pk]
    assert listed(client, q="dirk") == [personal.pk]
    day = timezone.localdate()
    assert listed(client, since=day.isoformat()) == [personal.pk, failed.pk]
    assert listed(client, until=(day - timedelta(days=9)).isoformat()) == [waiting.pk]
    assert listed(client, until=(day - timedelta(days=10)).isoformat()) == [waiting.pk]
    assert listed(client, until=(day - timedelta(days=11)).isoformat()) == []
    assert listed(client, item=failed.line_items.get().pk) == [failed.pk]
    assert listed(client, status="nonsense", kind="x") == [personal.pk, failed.pk, waiting.pk]


def test_only_kinds_that_the_reader_may_have_are_offered(cast: Cast) -> None:
    """The heads of the ledger go to the operator's addresses: only MOBOTIX sees what became of them."""
    assert "Head of the ledger" in html_of(client_of(cast.mobotix).get(LIST))
    assert "Head of the ledger" not in html_of(client_of(cast.distributor).get(LIST))


@pytest.mark.parametrize("query", [{"q": "ab"}, {"since": "yesterday"}, {"until": "9999-99-99"}])
def test_a_typing_error_gets_a_sentence(cast: Cast, query: dict[str, str]) -> None:
    page = client_of(cast.distributor).get(LIST, query)
    assert (page.status_code, 'id="filter-error"' in html_of(page)) == (200, True)


def test_another_ones_item_is_no_filter(cast: Cast) -> None:
    """E12: neither a stranger's item nor one further down whose mails one does not read."""
    mail = mail_to(cast, cast.installer)
    for person in (cast.other_distributor, cast.sibling_installer):
        page = client_of(person).get(LIST, {"item": mail.line_items.get().pk})
        assert (page.status_code, "rows" in page.context) == (200, False)


def test_what_a_row_says(cast: Cast) -> None:
    """N2: the kind in words, the reason of a failure, the item, and "Send again" for who may."""
    mail = fail(mail_to(cast, cast.installer))
    again = reverse("mail_send_again", args=[mail.pk])
    page = html_of(client_of(cast.distributor).get(LIST))
    for text in (
        "Activation ID",
        "The mail server refused this e-mail.",
        "550 5.1.1",
        "Video Analytics",
        again,
    ):
        assert text in page
    assert reverse("line_item_detail", args=[mail.line_items.get().pk]) in page
    for person in (cast.distributor_viewer, cast.installer):  # view only; the buyer
        assert again not in html_of(client_of(person).get(LIST))


def test_every_kind_has_words() -> None:
    """The list shows and filters by words, in both languages."""
    assert [kind for kind, label in kinds() if "." in label or not label] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobotix", "distributor"])
def test_keyset_pages_forth_and_back(cast: Cast, settings: Any, name: str) -> None:
    """Every mail once on the way down, and the same pages on the way back."""
    source = issue_item(cast)
    expected = [mail_to(cast, cast.installer, source=source).pk for _ in range(8)][::-1]
    settings.PAGE_SIZE = 3
    client, url, seen, pages = client_of(getattr(cast, name)), LIST, [], []
    while True:
        context = client.get(url).context
        pages.append([row.mail.pk for row in context["rows"]])
        seen += pages[-1]
        if not context["page"].older_url:
            break
        url = LIST + context["page"].older_url
    assert seen == expected
    back = client.get(LIST + context["page"].newer_url).context
    assert [row.mail.pk for row in back["rows"]] == pages[-2]


@pytest.mark.parametrize("name", ["mobotix", "distributor", "distributor_viewer"])
def test_fixed_number_of_queries(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, name: str
) -> None:
    """The same at 1 and at 3 rows, of items and of persons."""
    client = client_of(getattr(cast, name))

    def write() -> None:
        fail(mail_to(cast, cast.installer))
        person = make_user(cast.distributor.account, "Dirk")
        send_credentials(actor=cast.distributor, user_id=person.pk, key=new_key())

    write()
    with django_assert_num_queries(1000, exact=False) as first:
        client.get(LIST)
    write()
    write()
    with django_assert_num_queries(len(first)):
        client.get(LIST)
    assert len(first) <= 16


def test_many_items_are_one_mail(cast: Cast) -> None:
    """E7: a row names one of its items and counts the others."""
    source = issue_item(cast)
    items = [
        split_item(cast.distributor, source, cast.installer.account, order_number="PO-1") for _ in range(3)
    ]
    queue_activation_mail(items=items, recipients=["a@b.example"], actor=cast.distributor, certificate=False)
    assert "and 2 more line items" in html_of(client_of(cast.distributor).get(LIST))


def test_send_all_again(cast: Cast) -> None:
    """N2, E7: those of one's own items and people, once for the same form; strangers' failures stay."""
    own, other = fail(mail_to(cast, cast.installer)), fail(mail_to(cast, cast.sibling_installer))
    foreign = fail(
        mail_to(
            cast,
            cast.other_installer,
            source=issue_item(cast, cast.other_distributor.account),
            seller=cast.other_distributor,
        )
    )
    key = new_key()
    assert send_all_again(actor=cast.distributor, key=key) == 2
    fail(own)
    assert send_all_again(actor=cast.distributor, key=key) == 2
    states = dict(Mail.objects.values_list("pk", "status"))
    assert states == {own.pk: Status.FAILED, other.pk: Status.QUEUED, foreign.pk: Status.FAILED}
    assert send_all_again(actor=cast.mobotix, key=new_key()) == 2
    with pytest.raises(PermissionDenied):
        send_all_again(actor=cast.distributor_viewer, key=new_key())


def test_send_all_again_is_bounded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first; who wants more sends again."""
    mails = [fail(mail_to(cast, cast.installer)) for _ in range(3)]
    monkeypatch.setattr(resending, "MAX_SENT_AGAIN", 2)
    assert send_all_again(actor=cast.distributor, key=new_key()) == 2
    assert list(Mail.objects.filter(status=Status.FAILED)) == mails[:1]


def test_send_all_again_asks_first(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    """The page says how many; with nothing failed it says so."""
    client, address = client_of(cast.distributor), reverse("mail_send_all_again")
    assert "No e-mail has failed" in html_of(client.get(address))
    fail(mail_to(cast, cast.installer))
    page = client.get(address)
    assert "E-mails that failed: 1." in html_of(page)
    key = page.context["form"]["key"].value()
    with django_capture_on_commit_callbacks() as callbacks:
        response = client.post(address, {"key": key}, follow=True)
    assert "1 e-mail is on its way again." in html_of(response)
    assert len(callbacks) == 1


def test_send_all_again_with_a_used_key(cast: Cast) -> None:
    key = new_key()
    colleague = make_user(cast.distributor.account, "Dirk")
    send_credentials(actor=cast.distributor, user_id=colleague.pk, key=key)
    with pytest.raises(ValidationError):
        send_all_again(actor=cast.distributor, key=key)
