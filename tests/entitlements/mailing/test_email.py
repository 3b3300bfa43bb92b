"""View → Email, and "Send again"."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserStatus
from entitlements.models import LineItem, State
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import (
    Cast,
    Chain,
    issue_item,
    make_contact,
    make_product,
    split_item,
)

pytestmark = pytest.mark.django_db


def address(item: LineItem) -> str:
    return reverse("line_item_email", args=[item.pk])


def typed(recipients: str, **changes: Any) -> dict[str, Any]:
    return {"key": new_key(), "recipients": recipients} | changes


def test_prefilled_with_the_contact(cast: Cast, chain: Chain) -> None:
    """E9."""
    page = client_of(cast.installer).get(address(chain.served))

    assert page.context["form"]["recipients"].value() == cast.customer_contact.email
    assert "Ship-to email" in html_of(page)


def test_an_inactive_contact_is_not_proposed(cast: Cast, chain: Chain) -> None:
    """E9: whoever left is not written to."""
    make_contact(cast.customer, "Cleo")
    cast.customer_contact.status = UserStatus.INACTIVE
    cast.customer_contact.save()

    assert client_of(cast.installer).get(address(chain.served)).context["form"]["recipients"].value() == ""


def test_one_mail_for_each_address_in_its_language(cast: Cast, chain: Chain) -> None:
    """E9: the known person's language; the sender's for an address that nobody knows; the same address once."""
    cast.customer_contact.language = "de"
    cast.customer_contact.save()
    known = cast.customer_contact.email
    data = typed(f"{known}, new@else.example ,{known.upper()},", attach_certificate="on")
    response = client_of(cast.installer).post(address(chain.served), data, follow=True)

    mails = {mail.recipient_email.lower(): mail for mail in chain.served.mails.all()}
    assert set(mails) == {known, "new@else.example"}
    assert mails[known].language == "de"
    assert mails["new@else.example"].language == "en"
    assert all(mail.context["certificate"] for mail in mails.values())
    assert "2 e-mails are on their way" in html_of(response)
    assert "new@else.example" in html_of(response)


def test_sent_twice_is_once(cast: Cast, chain: Chain) -> None:
    """E7: a double click sends one mail."""
    data = typed("a@b.example")
    client = client_of(cast.installer)
    assert [client.post(address(chain.served), data).status_code for _ in range(2)] == [302, 302]
    assert chain.served.mails.count() == 1


@pytest.mark.parametrize(
    ("recipients", "sentence"),
    [
        ("", "Enter at least one e-mail address."),
        (" , ,", "Enter at least one e-mail address."),
        ("good@a.example, bad@, b@c.example", "“bad@” is not an e-mail address."),
        ("a@b.example; c@d.example", "is not an e-mail address."),
        ("a@b.example\nBcc: x@y.example", "Separate the addresses with commas, without line breaks."),
        ("a@b.example\r\nc@d.example", "Separate the addresses with commas, without line breaks."),
        (", ".join(f"p{n}@b.example" for n in range(1000)), "Enter at most 20 addresses. You entered 1000."),
        ("<script>alert(1)</script>", "is not an e-mail address."),
        ("{{ x }}@b.example\u2028", "is not an e-mail address."),
        ('"\x01"@b.example', "is not an e-mail address."),
        ("x" * 10_000, "is not an e-mail address."),
    ],
)
def test_bad_recipients(cast: Cast, chain: Chain, recipients: str, sentence: str) -> None:
    """E9: a sentence at the field, nothing typed is lost, nothing is sent."""
    response = client_of(cast.installer).post(
        address(chain.served), typed(recipients, attach_certificate="on")
    )

    (error,) = errors_of(response)["recipients"]
    assert sentence in error
    assert response.context["form"]["recipients"].value() == recipients
    assert response.context["form"]["attach_certificate"].value() is True
    assert "<script>alert" not in html_of(response)
    assert not Mail.objects.exists()


def test_all_lines_of_the_entitlement(cast: Cast) -> None:
    """E7, E9: three products of one order are one mail; what cannot be mailed is left out."""
    lines = [
        split_item(
            cast.distributor,
            issue_item(cast, product_id=make_product().pk),
            cast.installer.account,
            order_number="PO-1",
        )
        for _ in range(3)
    ]
    change_state(actor=cast.mobotix, item_id=lines[2].pk, state=State.INACTIVE, key=new_key(), reason="Audit")
    client = client_of(cast.distributor)
    assert "One e-mail contains all 2 of them." in html_of(client.get(address(lines[0])))
    client.post(address(lines[0]), typed("a@b.example", whole_entitlement="on"))

    mail = Mail.objects.get()
    assert mail.context["items"] == [lines[0].pk, lines[1].pk]
    assert lines[1].mails.get() == mail


def test_one_line_alone_offers_no_choice(cast: Cast, chain: Chain) -> None:
    """E9."""
    assert (
        "whole_entitlement" not in client_of(cast.installer).get(address(chain.served)).context["form"].fields
    )


def test_the_owner_is_offered_the_mails_of_its_splits(cast: Cast, chain: Chain) -> None:
    """E9: on an item that was split further; of the splits of others nothing shows."""
    leak = split_item(cast.distributor, chain.issued, cast.sibling_installer.account)
    page = html_of(client_of(cast.installer).get(address(chain.installed)))

    assert address(chain.served) in page
    assert "City Hospital" in page
    assert address(leak) not in page
    assert "id_recipients" not in page
    assert client_of(cast.installer).post(address(chain.installed), typed("a@b.example")).status_code == 403


def test_the_owner_of_an_item_that_is_whole_is_led_to_split(cast: Cast) -> None:
    """E9."""
    item = issue_item(cast)

    assert reverse("line_item_split", args=[item.pk]) in html_of(
        client_of(cast.distributor).get(address(item))
    )


@pytest.mark.parametrize("state", [State.INACTIVE, State.OBSOLETE])
def test_only_what_is_deployed(cast: Cast, chain: Chain, state: State) -> None:
    """E3: the page says why, and a POST sends nothing."""
    change_state(actor=cast.mobotix, item_id=chain.served.pk, state=state, key=new_key(), reason="Audit")
    client = client_of(cast.installer)

    assert "Only line items that are deployed" in html_of(client.get(address(chain.served)))
    assert "Only line items that are deployed" in html_of(
        client.post(address(chain.served), typed("a@b.example"))
    )
    assert not Mail.objects.exists()


@pytest.mark.slow
def test_who_may_open_it(cast: Cast, chain: Chain) -> None:
    """E12, E13: seller, serving account, MOBOTIX; those up the chain and view-only users not."""
    assert_statuses(
        address(chain.served),
        [
            (cast.installer, 200),
            (cast.mobotix, 200),
            (cast.distributor, 403),
            (cast.installer_viewer, 403),
            (cast.mobotix_viewer, 403),
            (cast.sibling_installer, 404),
            (cast.other_installer, 404),
        ],
    )


def fail(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk).update(
        status="failed", failure="refused", server_reply="550 no such user"
    )


@pytest.fixture
def failed(cast: Cast, chain: Chain) -> Mail:
    """A mail of the installer to its end customer that was refused."""
    client_of(cast.installer).post(address(chain.served), typed("gone@b.example"))
    mail = chain.served.mails.get()
    fail(mail)
    return mail


def test_the_fate_stands_on_the_page(cast: Cast, chain: Chain, failed: Mail) -> None:
    """N2: what the server said, and "Send again"; nothing of it for those up the chain."""
    page = html_of(client_of(cast.installer).get(address(chain.served)))

    assert "gone@b.example" in page
    assert "550 no such user" in page
    assert reverse("mail_send_again", args=[failed.pk]) in page


def test_send_again(cast: Cast, chain: Chain, failed: Mail) -> None:
    """N2: due now, and back on the page it was asked from."""
    page = address(chain.served)
    response = client_of(cast.installer).post(
        reverse("mail_send_again", args=[failed.pk]), headers={"referer": f"http://testserver{page}"}
    )
    failed.refresh_from_db()

    assert response["Location"] == page
    assert (failed.status, failed.failure) == ("queued", "")
    assert failed.next_attempt_at <= timezone.now()


@pytest.mark.parametrize("referer", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_send_again_leads_nowhere_else(cast: Cast, failed: Mail, referer: str) -> None:
    """N2: only back to a page of ours."""
    response = client_of(cast.installer).post(
        reverse("mail_send_again", args=[failed.pk]), headers={"referer": referer}
    )

    assert response["Location"] == reverse("home")


def test_send_again_of_no_mail_at_all(cast: Cast) -> None:
    """N2: also where the number is larger than any column."""
    address = reverse("mail_send_again", args=[2**70])
    assert_statuses(address, [(cast.installer, 404)], method="post")


@pytest.mark.slow
def test_a_mail_that_was_sent_is_not_sent_again(cast: Cast, failed: Mail) -> None:
    """N2: its sender makes a new one."""
    Mail.objects.filter(pk=failed.pk).update(status="sent", failure="", sent_at=timezone.now())
    response = client_of(cast.installer).post(reverse("mail_send_again", args=[failed.pk]), follow=True)

    assert "is not waiting to be sent" in html_of(response)


def test_who_may_send_again(cast: Cast, chain: Chain, failed: Mail) -> None:
    """E13: who may write to the item; for those up the chain the mail does not exist."""
    again = reverse("mail_send_again", args=[failed.pk])
    assert_statuses(
        again,
        [
            (cast.installer_viewer, 403),
            (cast.distributor, 404),
            (cast.sibling_installer, 404),
            (cast.other_distributor, 404),
        ],
        method="post",
    )
    failed.refresh_from_db()
    assert failed.status == "failed"
    assert_statuses(again, [(cast.mobotix, 405)])
    assert_statuses(again, [(cast.mobotix, 302)], method="post")


def test_the_buyer_may_not_send_the_sellers_mail_again(cast: Cast, chain: Chain) -> None:
    """E13: the owner reads the fate of the mails, its seller acts."""
    client_of(cast.distributor).post(address(chain.installed), typed("gone@b.example"))
    mail = chain.installed.mails.get()
    fail(mail)
    page = html_of(client_of(cast.installer).get(address(chain.installed)))

    assert "gone@b.example" in page
    assert reverse("mail_send_again", args=[mail.pk]) not in page
    assert_statuses(reverse("mail_send_again", args=[mail.pk]), [(cast.installer, 403)], method="post")


def test_mobotix_says_why_it_mails_what_others_sold(cast: Cast, chain: Chain) -> None:
    """E13: with a reason, which stands in the history beside who did it; what it sold itself needs none."""
    client = client_of(cast.mobotix)
    refused = client.post(address(chain.served), typed("lost@b.example"))
    assert "Enter why MOBOTIX does this" in html_of(refused)
    assert not chain.served.mails.exists()
    client.post(address(chain.served), typed("lost@b.example") | {"reason": "The mail was lost"})
    page = html_of(client_of(cast.installer).get(reverse("line_item_history", args=[chain.served.pk])))
    assert "The mail was lost" in page
    assert cast.mobotix.account.name in page
    assert client.post(address(chain.issued), typed("own@b.example")).status_code == 302


def queries_of(user: User, url: str) -> int:
    """How many queries a page takes for somebody."""
    client = client_of(user)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.slow
def test_a_fixed_number_of_queries(cast: Cast) -> None:
    """E9, E8: one split or 30, one mail or 30, on the e-mail page and on that of undo."""
    issued = issue_item(cast)
    item = split_item(cast.distributor, issued, cast.installer.account, copies=40)
    pages = [(cast.installer, address(item)), (cast.distributor, reverse("line_item_undo", args=[item.pk]))]
    split_item(cast.installer, item, cast.customer, copies=1)
    client_of(cast.distributor).post(address(item), typed("p@b.example"))
    before = [queries_of(user, url) for user, url in pages]
    for number in range(29):
        split_item(cast.installer, item, cast.customer, copies=1)
        client_of(cast.distributor).post(address(item), typed(f"p{number}@b.example"))

    assert [queries_of(user, url) for user, url in pages] == before
    assert html_of(client_of(cast.installer).get(address(item))).count("E-mail to City Hospital") == 30
