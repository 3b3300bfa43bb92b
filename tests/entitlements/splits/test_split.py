"""Split Entitlement Line Item, page by page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from entitlements.models import LineItem, State
from notifications.models import Mail
from tests.entitlements.pages import client_of
from tests.entitlements.splits.split_pages import address, typed
from tests.factories import Cast, issue_item, make_product, split_item
from tests.following import FollowingClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.distributor)


def test_the_page_shows_item_and_form(client: Client, item: LineItem) -> None:
    """E6: the amount is asked for with what is available, and the magnifier leads to the picker."""
    page = client.get(address(item)).content.decode()

    assert item.activation_id in page
    assert "Split Amount (of 100 available)" in page
    assert reverse("account_pick") in page
    assert "Order number of the buyer" in page


def test_the_pickers_choice_is_shown_read_only(client: Client, cast: Cast, item: LineItem) -> None:
    """E6: account and contact come back by the address, with what had been typed and the same key."""
    chosen = {"account": cast.installer.account_id, "contact": cast.installer.pk}
    page = client.get(
        address(item), chosen | {"copies": "7", "order_number": "<b>é", "key": "k1", "send_mail": "false"}
    )
    html = page.content.decode()

    assert "Blick Sicherheitstechnik" in html
    assert cast.installer.email in html
    assert 'name="key" value="k1"' in html
    assert 'value="7"' in html
    assert "&lt;b&gt;é" in html
    assert 'name="send_mail" value="false"' in html


def test_another_sellers_account_is_not_shown(client: Client, cast: Cast, item: LineItem) -> None:
    """A4: an address with a foreign account's number tells nothing of it."""
    foreign = cast.other_installer
    page = client.get(address(item), {"account": foreign.account_id, "contact": foreign.pk}).content.decode()

    assert "Outside Cameras" not in page
    assert foreign.email not in page


def test_the_magnifier_works_without_javascript(client: Client, cast: Cast, item: LineItem) -> None:
    """E6: what was typed travels along to the picker; the token against forgery does not."""
    response = client.post(address(item), typed(cast, step="pick", key="k2", copies="x"))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_pick") + "?back=")
    for part in ("key=k2", "copies=x", "order_number=PO-77"):
        assert part in response["Location"]
    assert "csrf" not in response["Location"]


def test_from_form_over_summary_to_result(client: Client, cast: Cast, item: LineItem) -> None:
    """E7: the summary writes nothing; Complete makes the item of the buyer; "Send e-mail" is ticked."""
    data = typed(cast)
    summary = client.post(address(item), data)
    assert LineItem.objects.count() == 1
    html = summary.content.decode()
    assert "10 copies of Video Analytics go to Blick Sicherheitstechnik" in html
    assert "90 copies stay available" in html
    assert summary.context["form"]["send_mail"].value() is True
    assert f'name="key" value="{data["key"]}"' in html

    response = client.post(address(item), data | {"step": "complete", "send_mail": "on"})
    new = LineItem.objects.get(parent=item)
    assert response["Location"] == reverse("line_item_split_done", args=[new.pk])
    assert (new.quantity, new.available, new.state) == (10, 10, State.DEPLOYED)
    assert new.entitlement.order_number == "PO-77"
    assert new.mails.get().recipient_email == cast.installer.email
    item.refresh_from_db()
    assert (item.available, item.split) == (90, 10)


def test_unticked_mail_is_not_sent(client: Client, cast: Cast, item: LineItem) -> None:
    """E7: an unticked box is absent from the request."""
    data = typed(cast, step="complete")
    del data["send_mail"], data["attach_certificate"]
    client.post(address(item), data)

    assert LineItem.objects.filter(parent=item).exists()
    assert not Mail.objects.exists()


def test_back_returns_everything_typed(client: Client, cast: Cast, item: LineItem) -> None:
    """E7: also the ticks of the summary, and the key."""
    data = typed(cast, step="back", key="k3", copies="12", attach_certificate="on")
    del data["send_mail"]
    html = client.post(address(item), data).content.decode()

    for part in ('name="key" value="k3"', 'value="12"', 'value="PO-77"', "Blick Sicherheitstechnik"):
        assert part in html
    assert 'name="send_mail" value="false"' in html
    assert 'name="attach_certificate" value="true"' in html


def test_complete_twice_splits_once(client: Client, cast: Cast, item: LineItem) -> None:
    """E7: a double click on Complete gives the same result, even where nothing is left after the first."""
    data = typed(cast, step="complete", copies="100")
    first, second = client.post(address(item), data), client.post(address(item), data)

    assert first["Location"] == second["Location"]
    assert LineItem.objects.filter(parent=item).count() == 1


def test_the_same_key_for_another_amount_is_refused(client: Client, cast: Cast, item: LineItem) -> None:
    """E7: back in the browser's history and another amount is another request."""
    data = typed(cast, step="complete")
    client.post(address(item), data)
    response = client.post(address(item), data | {"copies": "11"})

    assert "already sent with other values" in response.content.decode()
    assert LineItem.objects.filter(parent=item).count() == 1


@pytest.mark.slow
def test_who_may_split(cast: Cast, item: LineItem) -> None:
    """E6, E13: the owner's admins; a draft is unseen, its seller splits nothing, an outsider finds nothing."""
    draft = issue_item(cast, deploy=False, product_id=make_product().pk)
    served = split_item(cast.distributor, item, cast.installer.account)
    expected = [
        (cast.distributor, item, 200),
        (cast.distributor_viewer, item, 403),
        (cast.mobotix, item, 403),
        (cast.mobotix, draft, 403),
        (cast.distributor, draft, 404),
        (cast.distributor, served, 403),
        (cast.installer, item, 404),
        (cast.installer, served, 200),
        (cast.other_distributor, item, 404),
        (cast.sibling_installer, served, 404),
    ]
    for actor, subject, status in expected:
        client = FollowingClient()
        client.force_login(actor)
        assert client.get(address(subject)).status_code == status, (actor, subject)
        response = client.post(address(subject), typed(cast, step="complete"))
        assert response.status_code in ({200, 302} if status == 200 else {status}), (actor, subject)


def test_the_result_page(client: Client, cast: Cast, item: LineItem) -> None:
    """E7: the new Activation ID with its copy button, and what comes next."""
    new = split_item(cast.distributor, item, cast.installer.account, send_mail=True)
    html = client.get(reverse("line_item_split_done", args=[new.pk])).content.decode()

    assert f'data-copy="{new.activation_id}"' in html
    for name in ("line_item_email", "line_item_certificate", "line_item_undo"):
        assert reverse(name, args=[new.pk]) in html
    assert address(item) in html
    assert reverse("line_item_list") in html
    assert cast.installer.email in html


def test_who_sees_the_result(cast: Cast, item: LineItem) -> None:
    """E13: the seller and MOBOTIX; its owner and those up the chain have the item's page."""
    new = split_item(cast.distributor, item, cast.installer.account)
    last = split_item(cast.installer, new, cast.customer)
    for actor, subject, status in [
        (cast.distributor, new, 200),
        (cast.mobotix, new, 200),
        (cast.installer, new, 403),
        (cast.distributor, last, 403),
        (cast.distributor, item, 403),
        (cast.mobotix, item, 403),
        (cast.other_distributor, new, 404),
        (cast.distributor_viewer, new, 403),
    ]:
        client = Client()
        client.force_login(actor)
        response = client.get(reverse("line_item_split_done", args=[subject.pk]))
        assert response.status_code == status, (actor, subject)


def test_undo_is_not_offered_after_its_days(client: Client, cast: Cast, item: LineItem) -> None:
    """E8: the result page of an old split."""
    new = split_item(cast.distributor, item, cast.installer.account)
    LineItem.objects.filter(pk=new.pk).update(created_at=timezone.now() - timedelta(days=15))
    html = client.get(reverse("line_item_split_done", args=[new.pk])).content.decode()

    assert reverse("line_item_undo", args=[new.pk]) not in html


def test_three_products_of_one_order_are_one_entitlement(client: Client, cast: Cast, item: LineItem) -> None:
    """E7: the buyer's order number brings them together; without one each split stands alone."""
    other = issue_item(cast, product_id=make_product().pk)
    for source, number in ((item, "PO-1"), (other, "PO-1"), (item, "")):
        client.post(address(source), typed(cast, step="complete", order_number=number))
    splits = LineItem.objects.filter(seller=cast.distributor.account)

    assert splits.count() == 3
    assert len(set(splits.values_list("entitlement", flat=True))) == 2
