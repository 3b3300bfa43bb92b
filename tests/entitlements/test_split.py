"""Split Entitlement Line Item, page by page."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccountStatus, Tier
from entitlements.models import LineItem, State, today
from entitlements.services.states import change_state
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.factories import (
    Cast,
    issue_item,
    make_account,
    make_contact,
    make_product,
    split_item,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(cast: Cast) -> LineItem:
    return issue_item(cast)


@pytest.fixture
def client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.distributor)
    return client


def address(item: LineItem) -> str:
    return reverse("line_item_split", args=[item.pk])


def typed(cast: Cast, **changes: Any) -> dict[str, Any]:
    """What the splitter types and chooses on the way."""
    target = changes.pop("account", cast.installer.account)
    return {
        "step": "summary",
        "key": new_key(),
        "target": target.pk,
        "contact": cast.installer.pk,
        "copies": "10",
        "order_number": "PO-77",
        "send_mail": "true",
        "attach_certificate": "false",
    } | changes


def errors(response: Any) -> dict[str, Any]:
    return response.context["form"].errors


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

    assert "sent before, with other values" in response.content.decode()
    assert LineItem.objects.filter(parent=item).count() == 1


@pytest.mark.parametrize("step", ["summary", "complete"])
@pytest.mark.parametrize(
    ("copies", "sentence"),
    [
        ("0", "Enter at least 1 copy."),
        ("-1", "Enter at least 1 copy."),
        ("1.5", "Enter a whole number, for example 5."),
        ("101", "Only 100 copies are available now. Enter a smaller amount."),
        (str(10**12), "Only 100 copies are available now. Enter a smaller amount."),
        (str(10**30), "Only 100 copies are available now. Enter a smaller amount."),
        ("", "Enter a number of copies."),
        ("ten", "Enter a whole number, for example 5."),
        ("1e3", "Enter a whole number, for example 5."),
        ("9" * 10_000, "Enter a whole number, for example 5."),
    ],
)
def test_bad_amounts(
    client: Client, cast: Cast, item: LineItem, step: str, copies: str, sentence: str
) -> None:
    """E6: a sentence at the field; nothing typed is lost, nothing is written."""
    response = client.post(address(item), typed(cast, step=step, copies=copies))

    assert errors(response) == {"copies": [sentence]}
    html = response.content.decode()
    assert sentence in html
    assert f'value="{copies}"' in html or not copies
    assert 'value="PO-77"' in html
    assert "Blick Sicherheitstechnik" in html
    assert not LineItem.objects.filter(parent=item).exists()


def _own(cast: Cast) -> Any:
    return cast.distributor.account


def _same_tier(cast: Cast) -> Any:
    return cast.other_distributor.account


def _foreign(cast: Cast) -> Any:
    return cast.other_installer.account


def _higher(cast: Cast) -> Any:
    return cast.mobotix.account


def _inactive(cast: Cast) -> Any:
    return make_account(
        Tier.INSTALLER, "Closed", sellers=(cast.distributor.account,), status=AccountStatus.INACTIVE
    )


@pytest.mark.parametrize("step", ["summary", "complete"])
@pytest.mark.parametrize("make_target", [_own, _same_tier, _foreign, _higher, _inactive])
def test_bad_targets(client: Client, cast: Cast, item: LineItem, step: str, make_target: Any) -> None:
    """E6: own, same tier, another seller's, higher, inactive: one sentence for all, which tells nothing (A4)."""
    target = make_target(cast)
    contact = make_contact(target)
    response = client.post(address(item), typed(cast, step=step, account=target, contact=contact.pk))

    assert errors(response)["target"] == [
        "Choose an active account that you sell to, on a lower tier than yours."
    ]
    assert contact.email not in response.content.decode()
    assert not LineItem.objects.filter(parent=item).exists()


@pytest.mark.parametrize("step", ["summary", "complete"])
def test_a_contact_of_another_account(client: Client, cast: Cast, item: LineItem, step: str) -> None:
    """E6: the contact belongs to the target, even where the actor sees both."""
    response = client.post(address(item), typed(cast, step=step, contact=cast.sibling_installer.pk))

    assert errors(response) == {"contact": ["Choose a contact of the target account."]}
    assert not LineItem.objects.filter(parent=item).exists()


@pytest.mark.parametrize("value", ["", "abc", "-1", "1.5", str(10**30)])
def test_tampered_numbers_get_a_sentence(client: Client, cast: Cast, item: LineItem, value: str) -> None:
    """E6: whatever stands in the hidden fields."""
    response = client.post(address(item), typed(cast, target=value, contact=value))

    assert response.status_code == 200
    assert {"target", "contact"} >= set(errors(response)) >= {"target"}


def test_a_stale_form_loses_nothing(client: Client, cast: Cast, item: LineItem) -> None:
    """E6: somebody else split meanwhile: the sentence at the amount says what is available now."""
    data = typed(cast, copies="60")
    assert client.post(address(item), data).status_code == 200
    split_item(cast.distributor, item, cast.sibling_installer.account, copies=50)
    response = client.post(address(item), data | {"step": "complete"})

    assert errors(response) == {"copies": ["Only 50 copies are available now. Enter a smaller amount."]}
    html = response.content.decode()
    assert 'value="60"' in html
    assert "Split Amount (of 50 available)" in html
    assert f'name="key" value="{data["key"]}"' in html


@pytest.mark.parametrize("number", ["x" * 61, "x" * 10_000])
def test_an_order_number_that_is_too_long(client: Client, cast: Cast, item: LineItem, number: str) -> None:
    """E7: the browser cuts nothing silently, the field says it."""
    response = client.post(address(item), typed(cast, order_number=number))

    assert list(errors(response)) == ["order_number"]
    assert number in response.content.decode()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7 }}", "\"'", "日本語", "עברית"])
def test_order_numbers_in_any_script(client: Client, cast: Cast, item: LineItem, text: str) -> None:
    """E7: kept as typed, escaped on the page."""
    data = typed(cast, order_number=text)
    assert "<script>alert" not in client.post(address(item), data).content.decode()
    client.post(address(item), data | {"step": "complete"})

    assert LineItem.objects.get(parent=item).entitlement.order_number == text


@pytest.mark.parametrize("state", [State.INACTIVE, State.OBSOLETE])
def test_items_that_cannot_be_split_say_why(client: Client, cast: Cast, item: LineItem, state: State) -> None:
    """E3: only deployed items; the page explains instead of a form, and a POST does nothing."""
    change_state(actor=cast.mobotix, item_id=item.pk, state=state, key=new_key())
    page = client.get(address(item))
    assert page.status_code == 200
    assert "Only deployed line items can be split." in page.content.decode()
    assert "id_copies" not in page.content.decode()
    for step in ("summary", "complete"):
        response = client.post(address(item), typed(cast, step=step))
        assert "Only deployed line items can be split." in response.content.decode()
    assert not LineItem.objects.filter(parent=item).exists()


def test_an_expired_item_says_so(client: Client, cast: Cast) -> None:
    """E6, E14: the day after the expiration day."""
    day = today() - timedelta(days=1)
    item = issue_item(cast, starts_on=day - timedelta(days=30), expires_on=day)
    assert "has expired" in client.get(address(item)).content.decode()
    response = client.post(address(item), typed(cast, step="complete"))

    assert "has expired" in response.content.decode()
    assert not LineItem.objects.filter(parent=item).exists()


def test_an_item_that_expires_today_can_be_split(client: Client, cast: Cast) -> None:
    """E14: an expiration day counts to its end."""
    item = issue_item(cast, starts_on=today() - timedelta(days=30), expires_on=today())
    client.post(address(item), typed(cast, step="complete"))

    assert LineItem.objects.get(parent=item).expires_on == today()


def test_nothing_left_says_so(client: Client, cast: Cast, item: LineItem) -> None:
    """E6: no form where nothing can be split."""
    split_item(cast.distributor, item, cast.installer.account, copies=100)

    assert "No copies of this line item are available any more." in client.get(address(item)).content.decode()


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
        client = Client()
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
