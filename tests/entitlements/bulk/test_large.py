"""The largest bulk split that there is: 10,000 lines out of a workbook, checked and carried out by a worker."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEntry
from entitlements.bulk.services.jobs import progress_of, work_on
from entitlements.bulk.services.lines import MAX_BULK_LINES
from entitlements.ledger.verification import differences
from entitlements.models import BulkSplit, BulkState, State
from entitlements.models.kinds import Action
from mxportal.shared.forms import new_key
from mxportal.shared.spreadsheets import export
from notifications.models import Mail
from tests.entitlements.bulk.making import make_buyers
from tests.entitlements.bulk.pages import seen
from tests.entitlements.pages import client_of, html_of
from tests.factories import issue_item, make_cast

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_ten_thousand_lines() -> None:
    """E7: every page answers on the way, the ledger holds, and every buyer has a mail."""
    cast = make_cast()
    item = issue_item(cast, quantity=MAX_BULK_LINES)
    buyers = make_buyers(cast.distributor.account, MAX_BULK_LINES)
    rows = [[buyer.account.account_id, buyer.email, 1] for buyer in buyers]
    file = SimpleUploadedFile("b.xlsx", export(["Account ID", "Contact e-mail", "Amount"], rows, "xlsx"))
    client = client_of(cast.distributor)
    where = reverse("bulk_split_create", query={"item": item.pk})

    client.post(where, {"way": "file", "key": new_key(), "file": file})
    bulk = BulkSplit.objects.get()
    detail = reverse("bulk_split_detail", args=[bulk.pk])
    assert "0 of 10000 lines" in html_of(client.get(detail)).replace(",", "")
    work_on(bulk.pk)
    assert "1 to 100 of" in html_of(client.get(detail))
    client.post(reverse("bulk_split_carry_out", args=[bulk.pk]), seen(bulk) | {"send_mail": "on"})
    work_on(bulk.pk)
    bulk.refresh_from_db()

    assert (bulk.state, bulk.copies, bulk.lines) == (BulkState.DONE, MAX_BULK_LINES, [])
    assert "All lines are split" in html_of(client.get(detail))
    assert Mail.objects.count() == MAX_BULK_LINES
    assert not list(differences())
    content = client.get(reverse("bulk_split_download", args=[bulk.pk, "csv"])).content
    assert len(io.BytesIO(content).readlines()) == MAX_BULK_LINES + 1
    assert progress_of(bulk) <= MAX_BULK_LINES
    client.post(reverse("bulk_split_email", args=[bulk.pk]), {"key": new_key()})
    assert "Being e-mailed" in html_of(client.get(detail))
    work_on(bulk.pk)
    assert Mail.objects.count() == 2 * MAX_BULK_LINES
    client.post(reverse("bulk_split_undo", args=[bulk.pk]), {"key": new_key()})
    work_on(bulk.pk)
    assert "This bulk split was undone" in html_of(client.get(detail))
    assert not bulk.items.exclude(quantity=0, state=State.OBSOLETE).exists()
    assert (
        AuditEntry.objects.filter(action=Action.STATE_CHANGED, details__before="deployed").count()
        == MAX_BULK_LINES
    )
