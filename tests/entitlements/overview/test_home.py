"""Home: what needs doing, for each reader."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import RelationStatus, User
from accounts.services.credentials import send_credentials
from entitlements.models import today
from entitlements.orders.services.issue import NewLine, add_lines
from entitlements.overview.pages.home import home_page
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, MailServer, Status
from tests.entitlements.pages import client_of, html_of
from tests.factories import (
    Cast,
    issue_item,
    make_chain,
    make_relation,
    make_user,
    split_item,
    yesterday,
)

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_items_to_hand_on(cast: Cast) -> None:
    """Ours, deployed, not expired, with copies left; the newest five, and how many there are."""
    items = [issue_item(cast) for _ in range(6)]
    issue_item(cast, starts_on=yesterday(), expires_on=yesterday())
    issue_item(cast, deploy=False)
    split_item(cast.distributor, items[0], cast.installer.account, copies=100)
    home = home_page(cast.distributor)
    assert [row.pk for row in home.to_hand_on] == [item.pk for item in reversed(items[1:])]
    assert home.to_hand_on_count == "5"
    assert home_page(cast.installer).to_hand_on_count == "1"
    assert home_page(cast.other_distributor).nothing_yet


def test_expiring_items(cast: Cast) -> None:
    """The soonest five of the next 90 days; what has nothing left is no one's worry (as in N5)."""
    late = issue_item(cast, expires_on=today() + timedelta(days=91))
    soon = issue_item(cast, expires_on=today() + timedelta(days=60))
    sooner = issue_item(cast, expires_on=today())
    empty = issue_item(cast, expires_on=today() + timedelta(days=3), quantity=1)
    part = split_item(cast.distributor, empty, cast.installer.account, copies=1)
    expiring = [row.pk for row in home_page(cast.distributor).expiring]
    assert expiring == [sooner.pk, part.pk, soon.pk]
    assert late.pk not in expiring


def fail(mail: Mail) -> Mail:
    Mail.objects.filter(pk=mail.pk).update(status=Status.FAILED, failure=Failure.REFUSED)
    return mail


@pytest.mark.slow
def test_failed_mails(cast: Cast) -> None:
    """N2: of items that one sold and of users whom one manages; not for who may not send again."""
    served = split_item(cast.distributor, issue_item(cast), cast.installer.account, send_mail=True)
    of_item = fail(served.mails.get())
    colleague = make_user(cast.distributor.account, "Dirk")
    of_user = fail(send_credentials(actor=cast.distributor, user_id=colleague.pk, key=new_key()))
    expected = [of_user.pk, of_item.pk]
    assert [mail.pk for mail in home_page(cast.distributor).failed_mails] == expected
    assert [mail.pk for mail in home_page(cast.mobotix).failed_mails] == expected
    for person in (cast.installer, cast.other_distributor, cast.sibling_installer, cast.distributor_viewer):
        assert home_page(person).failed_mails == [], str(person)
    assert reverse("mail_send_again", args=[of_item.pk]) in html_of(client_of(cast.distributor).get("/"))


def test_requests_of_sellers(cast: Cast) -> None:
    """A2: shown to the account's admins, with the answer's buttons."""
    relation = make_relation(cast.other_distributor.account, cast.installer.account, RelationStatus.REQUESTED)
    assert reverse("relation_decide", args=[relation.pk]) in html_of(client_of(cast.installer).get("/"))
    assert home_page(cast.installer_viewer).requests == []
    assert home_page(cast.sibling_installer).requests == []


def test_last_activity(cast: Cast) -> None:
    """The newest movements on visible items, names masked."""
    make_chain(cast)
    texts = [event.text for event in home_page(cast.distributor).events]
    assert texts == [
        "Blick Sicherheitstechnik split 5 copies of Video Analytics to Name withheld.",
        "Nordlicht Distribution split 40 copies of Video Analytics to Blick Sicherheitstechnik.",
        "100 copies of Video Analytics were issued to Nordlicht Distribution.",
    ]
    assert home_page(cast.sibling_installer).events == []


@pytest.mark.parametrize(
    "name", ["mobotix", "mobotix_viewer", "distributor", "installer_viewer", "other_installer"]
)
def test_everybody_has_a_home(cast: Cast, name: str) -> None:
    """Also where nothing has happened yet."""
    person: User = getattr(cast, name)
    assert "No line item yet" in html_of(client_of(person).get("/"))
    make_chain(cast)
    assert client_of(person).get("/").status_code == 200


def test_mobotix_reads_of_a_refused_sender(cast: Cast, client: Client) -> None:
    """N7: on Home and above the list of mails, with the server's words; a partner does not read these."""
    reply = "550 5.7.1 Our own address 192.0.2.7 is listed"
    MailServer.objects.create(pk=1, sender_refused_since=timezone.now(), sender_reply=reply)
    for person, reads in ((cast.mobotix, True), (cast.distributor, False)):
        client.force_login(person)
        for page in ("home", "mail_list"):
            assert (reply in client.get(reverse(page)).content.decode()) is reads


def test_mobotix_reads_of_an_unreachable_mail_server(cast: Cast, client: Client) -> None:
    """N6: nothing is wrong with the mails, and they wait."""
    MailServer.objects.create(pk=1, unreachable_since=timezone.now())
    for person, reads in ((cast.mobotix, True), (cast.distributor, False)):
        client.force_login(person)
        assert ("has not been reachable since" in client.get(reverse("home")).content.decode()) is reads


def counted_on(page: str) -> str:
    found = re.search(r"Line items: ([\d,+]+)", page)
    assert found, "the list says how many there are"
    return found[1]


@pytest.mark.slow
def test_numbers_are_those_of_the_lists_they_lead_to(cast: Cast) -> None:
    """What "All 7" opens has seven rows: to hand on, and drafts, which are counted as the list counts them."""
    items = [issue_item(cast) for _ in range(7)]
    issue_item(cast, starts_on=yesterday(), expires_on=yesterday())
    split_item(cast.distributor, items[0], cast.installer.account, copies=100)
    drafts = [issue_item(cast, deploy=False) for _ in range(2)]
    line = NewLine(product_id=drafts[0].product_id, quantity=1, starts_on=today(), expires_on=None)
    add_lines(
        actor=cast.mobotix,
        entitlement_id=drafts[0].entitlement_id,
        contact_id=cast.distributor.pk,
        lines=[line],
        key=new_key(),
    )
    for person, expected in ((cast.distributor, {"6"}), (cast.mobotix, {"3"})):
        client = client_of(person)
        home = html_of(client.get("/"))
        links = re.findall(r'href="([^"]+)">All ([\d,+]+)<', home)
        assert {count for _link, count in links} == expected
        for link, count in links:
            assert counted_on(html_of(client.get(link.replace("&amp;", "&")))) == count


@pytest.mark.slow
def test_failed_mails_are_counted_as_the_list_counts_them(cast: Cast) -> None:
    """N2: the link narrows the list to the days that the number is of."""
    fail(split_item(cast.distributor, issue_item(cast), cast.installer.account, send_mail=True).mails.get())
    old = fail(
        split_item(cast.distributor, issue_item(cast), cast.installer.account, send_mail=True).mails.get()
    )
    Mail.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))
    client = client_of(cast.distributor)
    home = html_of(client.get("/"))
    assert "E-mails that failed: 1" in home
    link = re.search(r'href="([^"]+status=failed[^"]*)"', home)
    assert link
    assert "E-mails: 1" in html_of(client.get(link[1].replace("&amp;", "&")))
