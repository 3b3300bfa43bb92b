"""E9 for a whole bulk split: "Email all"."""

import pytest

from entitlements.models import LineItem
from entitlements.services import bulk_jobs
from entitlements.services.bulk_email import email_bulk_split
from entitlements.services.mailing import ACTIVATION
from entitlements.services.undo import undo_split
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.bulk import line_for, split_bulk
from tests.factories import Cast, issue_item, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def item(cast: Cast) -> LineItem:
    return issue_item(cast)


@pytest.fixture
def by_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if one line were many."""
    monkeypatch.setattr(bulk_jobs, "AT_ONCE", 0)


def test_email_all(cast: Cast, item: LineItem) -> None:
    """E9, E7: one mail an order and contact; keyed; what fell to 0 is left out."""
    lines = [line_for(cast.installer, copies, order_number="PO 1") for copies in (1, 2)]
    bulk = split_bulk(cast.distributor, [item], [*lines, line_for(cast.sibling_installer, 1)])
    gone = bulk.items.get(owner=cast.sibling_installer.account)
    undo_split(actor=cast.distributor, item_id=gone.pk, copies=1, key=new_key())
    key = new_key()
    for _ in range(2):
        email_bulk_split(actor=cast.distributor, bulk_id=bulk.pk, key=key)
    mail = Mail.objects.get(kind=ACTIVATION)
    assert (mail.recipient_email, len(mail.context["items"])) == (cast.installer.email, 2)
