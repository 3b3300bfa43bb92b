"""Devices: the list, one device, adding a device, and editing its details (L1)."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest
from accounts.models import Account
from accounts.permissions import Permission, requires
from accounts.quotas import Quota, spend
from entitlements.activation.forms.devices import DeviceFilter, DeviceForm, NewDeviceForm
from entitlements.activation.pages.devices import NEWEST, device_csv, device_rows, list_devices
from entitlements.activation.pages.rows import activation_rows, for_activation_rows
from entitlements.activation.services.devices import add_device, device_accounts, edit_device
from entitlements.items.history import device_timeline
from entitlements.items.search import MAX_FOUND
from entitlements.models import Activation, Device
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.numbers import typed_number
from mxportal.shared.pagination import paginate
from mxportal.shared.views import file_headers, posted, submit

MAX_SUGGESTED_ACCOUNTS = 200


@requires(Permission.VIEW)
@require_safe
def device_list(request: PortalRequest) -> HttpResponse:
    """List the devices of the account and of the end customers that it sells to, newest first (L1)."""
    form = DeviceFilter(request.GET)
    if not form.is_valid():
        return render(request, "entitlements/activation/device_list.html", {"form": form})
    listing = list_devices(request.user, **form.filters())
    page = paginate(request, listing.devices, order=NEWEST, parts=listing.parts)
    context = {
        "form": form,
        "page": page,
        "rows": device_rows(request.user, page.items),
        "count": listing.count(),
        "found_at_most": MAX_FOUND if listing.capped else None,
        "query": request.GET.urlencode(),
    }
    return render(request, "entitlements/activation/device_list.html", context)


@requires(Permission.VIEW)
@require_safe
def device_export(request: PortalRequest) -> StreamingHttpResponse:
    """Return the filtered list as CSV."""
    spend(request.user, Quota.DOCUMENTS)
    form = DeviceFilter(request.GET)
    parts = list_devices(request.user, **form.filters()).parts if form.is_valid() else []
    name = _("devices")
    rows = device_csv(request.user, parts)
    headers = file_headers(f"{name}.csv")
    return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers)


def load_device(request: PortalRequest, pk: int) -> Device:
    """Return the device, or raise Http404 where the reader does not see it (L1)."""
    return get_object_or_404(Device.objects.visible_to(request.user), pk=pk)


@requires(Permission.VIEW)
@require_safe
def device_detail(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what a device holds, its details, and its history (L1)."""
    device = load_device(request, pk)
    (row,) = device_rows(request.user, [device])
    held = Activation.objects.visible_to(request.user).held().filter(device=device)
    page = paginate(request, for_activation_rows(held), order=("-id",))
    after = request.GET.get("events", "")
    context = {
        "row": row,
        "notes": device.notes,
        "created_at": device.created_at,
        "page": page,
        "activations": activation_rows(request.user, page.items),
        "timeline": device_timeline(request.user, device, after),
        "later": bool(after),
    }
    return render(request, "entitlements/activation/device_detail.html", context)


@requires(Permission.ACTIVATE)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def device_create(request: PortalRequest) -> HttpResponse:
    """Add a device (L1)."""
    accounts = list(device_accounts(request.user).order_by("name_key", "pk")[:MAX_SUGGESTED_ACCOUNTS])
    form = NewDeviceForm(
        posted(request), actor=request.user, initial={"account": _initial_account_id(request)}
    )
    device = submit(form, add_device, keyed=True, actor=request.user)
    if device is None:
        return render(
            request, "entitlements/activation/device_create.html", {"form": form, "accounts": accounts}
        )
    messages.success(request, _("The device is added."))
    return redirect("device_detail", device.pk)


def _initial_account_id(request: PortalRequest) -> str:
    """Return the Account ID of the account whose page led here, or of the user's own account.

    MOBOTIX has no devices of its own.
    """
    if number := typed_number(request.GET.get("account", "")):
        account = Account.objects.visible_to(request.user).filter(pk=number).first()
        return account.account_id if account else ""
    return "" if request.user.account.is_mobotix else request.user.account.account_id


@requires(Permission.ACTIVATE)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def device_edit(request: PortalRequest, pk: int) -> HttpResponse:
    """Edit name, model, site and notes of a device (L1)."""
    device = load_device(request, pk)
    (row,) = device_rows(request.user, [device])
    form = DeviceForm(posted(request), device=device)
    if submit(form, edit_device, actor=request.user, device_id=pk) is None:
        return render(request, "entitlements/activation/device_edit.html", {"row": row, "form": form})
    messages.success(request, _("The details are saved."))
    return redirect("device_detail", pk)
