"""Devices as rows: adding one by hand, and editing its details (L1)."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, AuditEntry
from entitlements.activation.services.devices import add_device, edit_device
from entitlements.models import Device
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import MAC, host
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def test_add_for_oneself_and_for_ones_customer(cast: Cast) -> None:
    """L1: the same host ID in two accounts makes two devices."""
    for account in (cast.installer.account, cast.customer):
        device = add_device(
            actor=cast.installer, account_id=account.pk, host=host(), notes="In the hall", key=new_key()
        )
        assert (device.account, device.host_id, device.name, device.notes) == (
            account,
            MAC,
            "Entrance",
            "In the hall",
        )
        assert AuditEntry.objects.about(device).get().action == "device_added"


def test_a_known_host_id(cast: Cast) -> None:
    """L1: an account has each host ID once, however it is typed."""
    add_device(actor=cast.installer, account_id=cast.customer.pk, host=host(), key=new_key())
    with pytest.raises(ValidationError) as refusal:
        add_device(actor=cast.installer, account_id=cast.customer.pk, host=host(MAC.lower()), key=new_key())
    assert list(refusal.value.error_dict) == ["host_id"]


@pytest.mark.parametrize("who", ["distributor", "sibling_installer", "other_installer"])
def test_no_devices_for_others(cast: Cast, who: str) -> None:
    """E13: devices cannot be added to other accounts, not even to a partner that the account sells to."""
    accounts = (cast.installer.account, cast.customer)
    for account in accounts:
        with pytest.raises(Account.DoesNotExist):
            add_device(actor=getattr(cast, who), account_id=account.pk, host=host(), key=new_key())
    assert not Device.objects.exists()


def test_edit(cast: Cast) -> None:
    """L1: actors who see the device and may activate can edit it; a view-only user gets 403, a stranger does not see
    it.
    """
    device = add_device(actor=cast.installer, account_id=cast.customer.pk, host=host(), key=new_key())
    edit_device(actor=cast.installer, device_id=device.pk, name="Gate", site="North")
    device.refresh_from_db()
    assert (device.name, device.site, device.host_id) == ("Gate", "North", MAC)
    assert AuditEntry.objects.about(device).first().action == "device_edited"
    with pytest.raises(PermissionDenied):
        edit_device(actor=cast.installer_viewer, device_id=device.pk, name="Door")
    with pytest.raises(Device.DoesNotExist):
        edit_device(actor=cast.other_installer, device_id=device.pk, name="Door")
