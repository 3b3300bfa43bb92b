"""The content of rows, notes and the history."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation

from entitlements.items.history import timeline
from entitlements.items.rows import item_rows
from entitlements.models import LineItem, State
from entitlements.orders.services.states import change_state
from entitlements.splits.services.obstacles import undo_notes
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from tests.entitlements.pages import client_of, html_of, offered_on
from tests.factories import Cast, Chain, issue_item, make_chain, split_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(cast: Cast) -> Chain:
    return make_chain(cast, order_number="PO-HOSPITAL")


def test_a_row_holds_no_more_than_may_be_read(cast: Cast, chain: Chain) -> None:
    """E5, E12: no field of the row has masked data."""
    items = LineItem.objects.select_related("product", "entitlement").filter(pk=chain.served.pk)
    row = item_rows(cast.distributor, items)[0]
    assert not row.in_full
    for secret in (chain.served.activation_id, "PO-HOSPITAL", "City Hospital"):
        assert secret not in repr(row)
    assert item_rows(cast.installer, items)[0].activation_id == chain.served.activation_id


def test_rows_speak_the_reader_s_language(cast: Cast, chain: Chain) -> None:
    """E1: the product's name is in German."""
    items = LineItem.objects.select_related("product", "entitlement")
    with translation.override("de"):
        assert {row.product for row in item_rows(cast.distributor, items)} == {"Videoanalyse"}


def test_what_stands_in_the_way_of_an_undo(cast: Cast, chain: Chain) -> None:
    """E8: the page names the further split as far as the reader may see it."""
    (note,) = undo_notes(cast.distributor, chain.installed)
    tail = chain.served.activation_id[-4:]
    assert (
        note
        == f"5 copies were split further to Name withheld (…-{tail}) and must come back from there first."
    )
    (note,) = undo_notes(cast.mobotix, chain.installed)
    assert "City Hospital" in note
    assert undo_notes(cast.installer, chain.installed) == [], "the buyer takes nothing back"
    assert undo_notes(cast.installer, chain.served) == []
    page = html_of(client_of(cast.distributor).get(reverse("line_item_detail", args=[chain.installed.pk])))
    assert "and must come back from there first" in page


def test_when_the_days_for_an_undo_are_over(cast: Cast, chain: Chain) -> None:
    """E8: the page says so, and who can help."""
    long_ago = timezone.now() - timedelta(days=settings.UNDO_DAYS + 1)
    LineItem.objects.filter(pk=chain.served.pk).update(created_at=long_ago)
    chain.served.refresh_from_db()
    (note,) = undo_notes(cast.installer, chain.served)
    assert note.startswith("The period for undoing this split ended on ")
    response = client_of(cast.installer).get(reverse("line_item_detail", args=[chain.served.pk]))
    assert "Undo split" not in offered_on(response)


def test_many_further_splits_are_summed_up(cast: Cast) -> None:
    """E8: the page names five, and sums up the rest in one sentence."""
    installed = split_item(cast.distributor, issue_item(cast), cast.installer.account, copies=40)
    for _ in range(7):
        split_item(cast.installer, installed, cast.customer, copies=2)
    installed.refresh_from_db()
    notes = undo_notes(cast.distributor, installed)
    assert len(notes) == 6
    assert notes[-1] == "4 more copies were also split."


def test_the_history_in_sentences(cast: Cast, chain: Chain) -> None:
    """E8, E11: movements, changes of state and mails, newest first."""
    undo_split(actor=cast.installer, item_id=chain.served.pk, copies=5, key=new_key())
    change_state(
        actor=cast.mobotix, item_id=chain.installed.pk, state=State.INACTIVE, key=new_key(), reason="Unpaid"
    )
    item = LineItem.objects.get(pk=chain.installed.pk)
    events = timeline(cast.installer, item).events
    assert [event.text for event in events] == [
        "The state changed from “Deployed” to “Inactive”.",
        "5 copies of Video Analytics went back from City Hospital to Blick Sicherheitstechnik.",
        "Blick Sicherheitstechnik split 5 copies of Video Analytics to City Hospital.",
        "Nordlicht Distribution split 40 copies of Video Analytics to Blick Sicherheitstechnik.",
    ]
    assert events[0].reason == "Unpaid"
    assert [event.by for event in events] == [
        "MOBOTIX AG",
        str(cast.installer),
        str(cast.installer),
        "Nordlicht Distribution",
    ]


def test_mails_in_the_history_are_for_parties(cast: Cast) -> None:
    """E9: seller and owner read to whom the ID was sent; the account further up does not."""
    installed = split_item(cast.distributor, issue_item(cast), cast.installer.account, copies=9)
    served = split_item(cast.installer, installed, cast.customer, copies=2, send_mail=True)
    text = f"An e-mail to {cast.customer_contact.email} is waiting to be sent."
    assert text in [event.text for event in timeline(cast.installer, served).events]
    assert text not in [event.text for event in timeline(cast.distributor, served).events]
    detail = reverse("line_item_detail", args=[served.pk])
    assert cast.customer_contact.email in html_of(client_of(cast.installer).get(detail))
    assert cast.customer_contact.email not in html_of(client_of(cast.distributor).get(detail))
