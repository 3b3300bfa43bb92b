"""Undo split, and the buyer's handing back."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserStatus
from entitlements.models import LineItem, Movement, MovementKind, State
from entitlements.orders.services.states import change_state
from mxportal.shared.forms import new_key
from notifications.models import Mail, Status
from notifications.registry import render
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, Chain, issue_item, make_user, split_item

pytestmark = pytest.mark.django_db


def address(item: LineItem) -> str:
    return reverse("line_item_undo", args=[item.pk])


def typed(**changes: Any) -> dict[str, Any]:
    return {"key": new_key(), "copies": "5", "reason": ""} | changes


def age(item: LineItem, days: int) -> None:
    LineItem.objects.filter(pk=item.pk).update(created_at=timezone.now() - timedelta(days=days))


def balances(item: LineItem) -> tuple[int, int, int]:
    return LineItem.objects.values_list("quantity", "available", "split").get(pk=item.pk)


def test_prefilled_with_all_that_can_come_back(cast: Cast, chain: Chain) -> None:
    """E8: up to what is available on the new item."""
    page = client_of(cast.distributor).get(address(chain.installed))

    assert page.context["form"]["copies"].value() == 35
    assert "Copies to take back (of 35 available)" in html_of(page)


def test_copies_return_to_the_source(cast: Cast, chain: Chain) -> None:
    """E8, E11: a movement says so, and the page says what happened."""
    response = client_of(cast.distributor).post(address(chain.installed), typed(reason="Wrong"), follow=True)

    assert balances(chain.installed) == (35, 30, 5)
    assert balances(chain.issued) == (100, 65, 35)
    assert "5 copies have gone back" in html_of(response)
    movement = Movement.objects.latest("pk")
    assert (movement.kind, movement.copies, movement.reason) == (MovementKind.UNDO, 5, "Wrong")


def test_an_emptied_item_is_obsolete(cast: Cast, chain: Chain) -> None:
    """E3, E8: undo alone does that by itself."""
    client_of(cast.installer).post(address(chain.served), typed())
    chain.served.refresh_from_db()

    assert (chain.served.quantity, chain.served.state) == (0, State.OBSOLETE)


def test_twice_is_once(cast: Cast, chain: Chain) -> None:
    """E7: the same form sent again takes nothing more."""
    data = typed()
    client = client_of(cast.distributor)
    first, second = client.post(address(chain.installed), data), client.post(address(chain.installed), data)

    assert (first.status_code, second.status_code) == (302, 302)
    assert balances(chain.installed)[0] == 35


def test_who_had_the_mail_is_told(cast: Cast) -> None:
    """E8: only whom the Activation ID had reached, each once."""
    item = split_item(cast.distributor, issue_item(cast), cast.installer.account, send_mail=True)
    activation = item.mails.get()
    Mail.objects.filter(pk=activation.pk).update(status=Status.SENT, sent_at=timezone.now())
    client_of(cast.distributor).post(address(item), typed())

    told = item.mails.exclude(pk=activation.pk).get()
    assert told.recipient_email == activation.recipient_email
    assert told.kind == "entitlements.undone"


@pytest.mark.parametrize(
    ("copies", "sentence"),
    [
        ("0", "Enter at least 1 copy."),
        ("-1", "Enter at least 1 copy."),
        ("1.5", "Enter a whole number, for example 5 or 2,000."),
        ("36", "Only 35 copies are available now. Enter a smaller amount."),
        (str(10**12), "Only 35 copies are available now. Enter a smaller amount."),
        (str(10**25), "Only 35 copies are available now. Enter a smaller amount."),
        ("", "Enter a number of copies."),
    ],
)
def test_bad_amounts(cast: Cast, chain: Chain, copies: str, sentence: str) -> None:
    """E8: a sentence at the field, and nothing typed is lost."""
    response = client_of(cast.distributor).post(
        address(chain.installed), typed(copies=copies, reason="Because <b>")
    )

    assert errors_of(response) == {"copies": [sentence]}
    assert "Because &lt;b&gt;" in html_of(response)
    assert balances(chain.installed)[0] == 40


def test_a_reason_that_is_too_long(cast: Cast, chain: Chain) -> None:
    """E8: 10,000 characters get a sentence."""
    response = client_of(cast.distributor).post(address(chain.installed), typed(reason="x" * 10_000))

    assert list(errors_of(response)) == ["reason"]


def test_after_the_days_the_page_says_whom_to_ask(cast: Cast, chain: Chain) -> None:
    """E8: 14 days for the seller; a POST gets no further."""
    age(chain.installed, 15)
    client = client_of(cast.distributor)
    page = html_of(client.get(address(chain.installed)))

    assert "Ask MOBOTIX to undo it" in page
    assert "id_copies" not in page
    assert client.post(address(chain.installed), typed()).status_code == 403
    assert balances(chain.installed)[0] == 40


def test_on_the_last_day_it_works(cast: Cast, chain: Chain) -> None:
    """E8."""
    age(chain.installed, 13)

    assert client_of(cast.distributor).post(address(chain.installed), typed()).status_code == 302


def test_mobotix_can_later_and_says_why(cast: Cast, chain: Chain) -> None:
    """E8, E13: the reason is required and recorded."""
    age(chain.installed, 100)
    client = client_of(cast.mobotix)
    response = client.post(address(chain.installed), typed())
    assert list(errors_of(response)) == ["reason"]
    assert client.post(address(chain.installed), typed(reason="Bankrupt")).status_code == 302
    assert Movement.objects.latest("pk").reason == "Bankrupt"


def test_the_buyer_hands_back_at_any_time(cast: Cast, chain: Chain) -> None:
    """E8: the owner gives copies back to its seller, long after the days of undoing."""
    age(chain.installed, 300)
    client = client_of(cast.installer)
    assert "Hand copies back" in html_of(client.get(address(chain.installed)))
    assert client.post(address(chain.installed), typed()).status_code == 302
    assert balances(chain.installed)[0] == 35


@pytest.mark.parametrize("expired", [True, False])
def test_works_when_inactive_or_expired(cast: Cast, chain: Chain, expired: bool) -> None:
    """E3."""
    if expired:
        past = timezone.localdate() - timedelta(days=3)
        LineItem.objects.filter(pk=chain.installed.pk).update(starts_on=past, expires_on=past)
    else:
        change_state(
            actor=cast.mobotix,
            item_id=chain.installed.pk,
            state=State.INACTIVE,
            key=new_key(),
            reason="Audit",
        )

    assert client_of(cast.distributor).post(address(chain.installed), typed()).status_code == 302


def test_not_when_obsolete(cast: Cast, chain: Chain) -> None:
    """E3: Obsolete is final; its copies do not come to life again."""
    change_state(
        actor=cast.mobotix, item_id=chain.installed.pk, state=State.OBSOLETE, key=new_key(), reason="Fraud"
    )
    client = client_of(cast.distributor)

    assert "that is final" in html_of(client.get(address(chain.installed)))
    assert "that is final" in html_of(client.post(address(chain.installed), typed()))
    assert balances(chain.installed)[0] == 40


def test_an_issued_item_has_nothing_to_go_back_to(cast: Cast, chain: Chain) -> None:
    """E8."""
    for user in (cast.mobotix, cast.distributor):
        assert "there is no split to undo" in html_of(client_of(user).get(address(chain.issued)))


def test_what_stands_in_the_way(cast: Cast, chain: Chain) -> None:
    """E8, A4, E5: the further split with a link; the name and the whole ID only as far as the reader may see them."""
    page = html_of(client_of(cast.distributor).get(address(chain.installed)))
    assert "5 copies were split further" in page
    assert reverse("line_item_detail", args=[chain.served.pk]) in page
    assert "Name withheld" in page
    assert "City Hospital" not in page
    assert chain.served.activation_id not in page
    assert chain.served.activation_id_tail in page

    cast.customer.visible_to_partners = True
    cast.customer.save()
    assert "City Hospital" in html_of(client_of(cast.distributor).get(address(chain.installed)))
    assert "City Hospital" in html_of(client_of(cast.mobotix).get(address(chain.installed)))


def test_nothing_available_says_so(cast: Cast, chain: Chain) -> None:
    """E8: everything was split further."""
    split_item(cast.installer, chain.installed, cast.customer, copies=35)
    page = html_of(client_of(cast.distributor).get(address(chain.installed)))

    assert "None of its copies is available" in page
    assert "id_copies" not in page


def test_who_may_open_it(cast: Cast, chain: Chain) -> None:
    """E12, E13: view-only users and those up the chain 403, outsiders 404."""
    assert_statuses(
        address(chain.served),
        [
            (cast.installer, 200),
            (cast.mobotix, 200),
            (cast.distributor, 403),
            (cast.installer_viewer, 403),
            (cast.mobotix_viewer, 403),
            (cast.sibling_installer, 404),
            (cast.other_distributor, 404),
        ],
    )


def test_nothing_comes_back_to_an_obsolete_source(cast: Cast, chain: Chain) -> None:
    """E3: copies would be stranded there; the page says so before anybody types a number."""
    change_state(
        actor=cast.mobotix,
        item_id=chain.installed.pk,
        state=State.OBSOLETE,
        key=new_key(),
        reason="Wrong order",
    )
    page = client_of(cast.installer).get(address(chain.served))
    response = client_of(cast.installer).post(address(chain.served), typed())

    assert "cannot go back to it" in html_of(page)
    assert "cannot go back to it" in html_of(response)
    assert balances(chain.served) == (5, 5, 0)


def came_back() -> list[str]:
    return [
        mail.recipient_email for mail in Mail.objects.filter(kind="entitlements.came_back").order_by("pk")
    ]


def test_the_seller_is_told_what_came_back(cast: Cast, chain: Chain) -> None:
    """E8: handed back, or taken back by MOBOTIX: the person who had split the copies reads so, with the reason."""
    client_of(cast.installer).post(address(chain.installed), typed(reason="Ordered too many"))
    mail = chain.issued.mails.get(kind="entitlements.came_back")
    message = render(mail)

    assert mail.recipient_email == cast.distributor.email
    assert message
    for text in (message.text, message.html):
        for part in (
            "5 copies",
            "Blick Sicherheitstechnik",
            "Ordered too many",
            chain.issued.activation_id_tail,
        ):
            assert part in text
        assert chain.installed.activation_id not in text
    client_of(cast.mobotix).post(address(chain.served), typed(copies="1", reason="Closed"))
    assert came_back() == [cast.distributor.email, cast.installer.email]


def test_who_takes_back_itself_is_not_told(cast: Cast, chain: Chain) -> None:
    """E8: the seller knows what it does."""
    client_of(cast.distributor).post(address(chain.installed), typed())
    assert came_back() == []


def test_where_who_split_is_gone_the_contact_is_told(cast: Cast, chain: Chain) -> None:
    """E8, U7: an inactive person gets no mail."""
    other = make_user(cast.distributor.account, "Daria")
    LineItem.objects.filter(pk=chain.issued.pk).update(contact=other)
    User.objects.filter(pk=cast.distributor.pk).update(status=UserStatus.INACTIVE, login=None)
    client_of(cast.installer).post(address(chain.installed), typed())
    assert came_back() == [other.email]
    User.objects.filter(pk=other.pk).update(status=UserStatus.INACTIVE, login=None)
    client_of(cast.installer).post(address(chain.installed), typed())
    assert came_back() == [other.email]
