"""More lines for an entitlement, and Deploy."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import AccountStatus
from accounts.services.accounts import set_account_status
from entitlements.models import Entitlement, State
from entitlements.orders.services.issue import deploy_entitlement
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.orders.issue_pages import create, line, line_errors, typed
from tests.entitlements.pages import assert_statuses, client_of, html_of
from tests.factories import Cast, issue_item, split_item

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_add_lines_to_an_entitlement(cast: Cast) -> None:
    """E1: as drafts, with the contact of the last line proposed."""
    item = issue_item(cast)
    address = reverse("entitlement_add_lines", args=[item.entitlement_id])
    client = client_of(cast.mobotix)
    assert client.get(address).context["form"]["contact"].value() == item.contact_id
    bad = client.post(address, typed(cast, line(0, cast.product.pk, quantity="0")))
    assert line_errors(bad) == [{"quantity": ["Enter a quantity of at least 1."]}]
    more = client.post(address, typed(cast, line(0, cast.product.pk, quantity="8"), step="add"))
    assert len(more.context["lines"]) == 2

    data = typed(cast, line(0, cast.product.pk, quantity="8"))
    assert [client.post(address, data).status_code for _ in range(2)] == [302, 302]
    states = item.entitlement.line_items.order_by("pk").values_list("quantity", "state")
    assert list(states) == [(100, State.DEPLOYED), (8, State.DRAFT)]


def test_contacts_to_choose_from_are_the_buyers(cast: Cast) -> None:
    """E1: nobody else's."""
    item = issue_item(cast)
    page = client_of(cast.mobotix).get(reverse("entitlement_add_lines", args=[item.entitlement_id]))
    people = set(page.context["form"].fields["contact"].queryset)

    assert people == {cast.distributor, cast.distributor_viewer}


def test_an_inactive_account_gets_no_lines(cast: Cast) -> None:
    """A5: it receives nothing."""
    item = issue_item(cast)
    cast.distributor.account.status = AccountStatus.INACTIVE
    cast.distributor.account.save()
    address = reverse("entitlement_add_lines", args=[item.entitlement_id])
    response = client_of(cast.mobotix).post(address, typed(cast))

    assert "This account is inactive" in html_of(response)
    assert item.entitlement.line_items.count() == 1


@pytest.mark.slow
def test_deploy_with_mail(cast: Cast) -> None:
    """E1: "Send e-mail" is ticked; one mail brings all lines; twice is once."""
    create(cast, typed(cast, line(0, cast.product.pk), line(1, cast.product.pk)))
    entitlement = Entitlement.objects.get()
    address = reverse("entitlement_deploy", args=[entitlement.pk])
    client = client_of(cast.mobotix)
    page = client.get(address)
    assert page.context["form"]["send_mail"].value() is True
    assert "Nordlicht Distribution" in html_of(page)

    data = {"key": new_key(), "send_mail": "on"}
    assert [client.post(address, data).status_code for _ in range(2)] == [302, 302]
    assert set(entitlement.line_items.values_list("state", flat=True)) == {State.DEPLOYED}
    mail = Mail.objects.get()
    assert mail.recipient_email == cast.distributor.email
    assert len(mail.context["items"]) == 2
    assert "already deployed" in html_of(client.get(address))
    assert "already deployed" in html_of(client.post(address, {"key": new_key()}))


def test_nothing_is_deployed_to_an_inactive_account(cast: Cast) -> None:
    """A5: it became inactive while the entitlement was a draft."""
    draft = issue_item(cast, deploy=False)
    set_account_status(actor=cast.mobotix, account_id=draft.owner_id, status=AccountStatus.INACTIVE)
    with pytest.raises(ValidationError, match="inactive"):
        deploy_entitlement(actor=cast.mobotix, entitlement_id=draft.entitlement_id, key=new_key())


def test_deploy_without_mail(cast: Cast) -> None:
    """E1."""
    item = issue_item(cast, deploy=False)
    address = reverse("entitlement_deploy", args=[item.entitlement_id])
    client_of(cast.mobotix).post(address, {"key": new_key()})
    item.refresh_from_db()

    assert item.state == State.DEPLOYED
    assert not Mail.objects.exists()


@pytest.mark.slow
def test_mobotix_admins_alone(cast: Cast) -> None:
    """U3: the role decides; what a partner sold is none of these pages' business."""
    item = issue_item(cast)
    sold_on = split_item(cast.distributor, item, cast.installer.account)
    refused = [(cast.mobotix_viewer, 403), (cast.distributor, 403), (cast.other_installer_viewer, 403)]
    assert_statuses(reverse("entitlement_create"), [(cast.mobotix, 200), *refused])
    for name in ("entitlement_add_lines", "entitlement_deploy"):
        assert_statuses(reverse(name, args=[item.entitlement_id]), [(cast.mobotix, 200), *refused])
        assert_statuses(reverse(name, args=[sold_on.entitlement_id]), [(cast.mobotix, 404), *refused])
