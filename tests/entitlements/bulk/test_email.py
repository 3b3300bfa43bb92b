"""E9 for a whole bulk split: "Email all"."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import AuditEntry
from entitlements.bulk.services import jobs as bulk_jobs
from entitlements.bulk.services.jobs import work_on
from entitlements.bulk.services.requests import email_bulk_split
from entitlements.items.predicates import looks_after
from entitlements.mailing.services.queue import queue_activation_mail
from entitlements.models import BulkState, LineItem, State
from entitlements.models.kinds import Action, MailKind
from entitlements.splits.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Failure, Mail, Status
from tests.entitlements.bulk.making import line_for, sell_and_move, split_bulk
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast, make_user

pytestmark = pytest.mark.django_db


def test_email_all(cast: Cast, item: LineItem) -> None:
    """E9, E7: one mail an order and contact; keyed; what fell to 0 is left out."""
    lines = [line_for(cast.installer, copies, order_number="PO 1") for copies in (1, 2)]
    bulk = split_bulk(cast.distributor, [item], [*lines, line_for(cast.sibling_installer, 1)])
    gone = bulk.items.get(owner=cast.sibling_installer.account)
    undo_split(actor=cast.distributor, item_id=gone.pk, copies=1, key=new_key())
    key = new_key()
    for _ in range(2):
        email_bulk_split(actor=cast.distributor, bulk_id=bulk.pk, key=key)
    mail = Mail.objects.get(kind=MailKind.ACTIVATION)
    assert (mail.recipient_email, len(mail.context["items"])) == (cast.installer.email, 2)


def test_customers_who_moved_are_left_out(cast: Cast) -> None:
    """A7, E13: another account looks after them now."""
    bulk, stays, _moved = sell_and_move(cast)
    email_bulk_split(actor=cast.installer, bulk_id=bulk.pk, key=new_key())
    assert list(Mail.objects.get(kind=MailKind.ACTIVATION).line_items.all()) == [stays]
    assert AuditEntry.objects.filter(action=Action.MAILED, object_id__in=bulk.items.values("pk")).count() == 1


def test_the_result_speaks_of_what_one_looks_after(cast: Cast) -> None:
    """A7, E9: the mails of a moved customer's item are the new seller's to read; the page says what is left out."""
    bulk, stays, moved = sell_and_move(cast)
    new = {"recipients": ["new@buyer.example"], "certificate": False}
    queue_activation_mail(items=[moved], actor=cast.other_installer, **new)
    Mail.objects.update(status=Status.FAILED, failure=Failure.REFUSED)
    where = reverse("bulk_split_detail", args=[bulk.pk])
    html = html_of(client_of(cast.installer).get(where))
    assert "new@buyer.example" not in html
    assert "There are no e-mails about these line items yet." in html
    assert "1 line item is left out: MOBOTIX has transferred its customer to another seller." in html
    assert "new@buyer.example" in html_of(client_of(cast.mobotix).get(where))
    data = {"key": new_key()}
    html = html_of(
        client_of(cast.installer).post(reverse("bulk_split_email", args=[bulk.pk]), data, follow=True)
    )
    assert "on their way" in html
    assert Mail.objects.filter(line_items=stays).exists()


def test_when_all_have_moved_nothing_is_left_to_mail(cast: Cast) -> None:
    """A7: the sentence says which line items can be mailed."""
    bulk, stays, _moved = sell_and_move(cast)
    undo_split(actor=cast.installer, item_id=stays.pk, copies=1, key=new_key())
    with pytest.raises(ValidationError, match="that you look after"):
        email_bulk_split(actor=cast.installer, bulk_id=bulk.pk, key=new_key())


def test_who_looks_after_what(cast: Cast) -> None:
    """E13, A7: the rule for rows says what the rule for one item says."""
    sell_and_move(cast)
    items = LineItem.objects.all()
    for person in (cast.mobotix, cast.distributor, cast.installer, cast.other_installer):
        expected = {item for item in items if looks_after(person, item)}
        assert expected
        assert set(items.looked_after_by(person.account)) == expected


def test_many_are_mailed_by_a_worker(cast: Cast, item: LineItem, monkeypatch: pytest.MonkeyPatch) -> None:
    """N1: the page shows the progress; whoever asked has written the mails, and who split is another."""
    colleague = make_user(cast.distributor.account)
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer), line_for(cast.sibling_installer)])
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 1)
    where, client = reverse("bulk_split_detail", args=[bulk.pk]), client_of(colleague)
    html = html_of(client.post(reverse("bulk_split_email", args=[bulk.pk]), {"key": new_key()}, follow=True))
    assert "<progress" in html
    assert "Being e-mailed" in html
    assert not Mail.objects.exists()
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, Mail.objects.count()) == (BulkState.DONE, 2)
    assert set(AuditEntry.objects.filter(action=Action.MAILED).values_list("actor", flat=True)) == {
        colleague.pk
    }
    assert "<progress" not in html_of(client.get(where))


def test_what_cannot_be_mailed_any_more_is_said(
    cast: Cast, item: LineItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E3: it became inactive before the worker came; the bulk split is as it was."""
    bulk = split_bulk(cast.distributor, [item], [line_for(cast.installer)])
    monkeypatch.setattr(bulk_jobs, "SMALL_BULK_LINES", 0)
    email_bulk_split(actor=cast.distributor, bulk_id=bulk.pk, key=new_key())
    bulk.items.update(state=State.INACTIVE)
    work_on(bulk.pk)
    bulk.refresh_from_db()
    assert bulk.state == BulkState.DONE
    assert "can be e-mailed" in bulk.failure
    assert not Mail.objects.exists()
