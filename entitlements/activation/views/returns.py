"""Return, Rehost, and Replace device (L4)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.activation.forms.returns import RehostForm, ReplaceDeviceForm, ReturnForm
from entitlements.activation.pages.devices import device_rows
from entitlements.activation.pages.returns import limit_of, replacement
from entitlements.activation.pages.rows import activation_rows
from entitlements.activation.services.activate import activation_obstacle
from entitlements.activation.services.rehosting import rehost, replace_device
from entitlements.activation.services.returns import return_copies
from entitlements.activation.views.activate import known_devices
from entitlements.activation.views.devices import load_device
from entitlements.items.predicates import may_activate
from entitlements.items.shortcuts import deny_unless, shown
from entitlements.models import Activation, LineItem
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import own_address, posted, submit


def _load(request: PortalRequest, pk: int) -> Activation:
    """Return the activation of an item whose party the reader is.

    Raises Http404 for other readers, PermissionDenied for one who may not activate the item.
    """
    activations = Activation.objects.visible_to(request.user)
    related = activations.select_related("item__product", "item__entitlement", "device")
    activation = get_object_or_404(related, pk=pk)
    deny_unless(may_activate(request.user, activation.item))
    return activation


@requires(Permission.ACTIVATE)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def activation_return(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask how many copies to return, and show before and after how many more can be returned this year (L4)."""
    activation = _load(request, pk)
    form = ReturnForm(posted(request), actor=request.user, activation=activation)
    if submit(form, return_copies, keyed=True, actor=request.user, activation_id=pk) is None:
        return _show(request, activation, form, "activation_return")
    _say_returned(request, activation.item, form.cleaned_data["copies"])
    back = own_address(request.GET.get("back", ""))
    return redirect(back) if back else redirect("device_detail", activation.device_id)


def _say_returned(request: PortalRequest, item: LineItem, copies: int) -> None:
    sentence = ngettext(
        "%(copies)s copy has come back to the line item.",
        "%(copies)s copies have come back to the line item.",
        copies,
    )
    messages.success(request, f"{sentence % {'copies': copies}} {_left_sentence(request, item)}")


def _left_sentence(request: PortalRequest, item: LineItem) -> str:
    left = limit_of(request.user, item).left
    sentence = ngettext(
        "%(left)s more can be returned within a year.", "%(left)s more can be returned within a year.", left
    )
    return sentence % {"left": left}


def _show(
    request: PortalRequest,
    activation: Activation,
    form: ReturnForm | RehostForm,
    name: str,
    obstacle: str = "",
) -> HttpResponse:
    activation.refresh_from_db(fields=["copies"])
    item = activation.item
    item.refresh_balances()
    limit = limit_of(request.user, item)
    if not activation.copies:
        obstacle = _("No copies of this line item are on this device any more.")
    context = {
        "row": shown(request.user, item),
        "activation": activation_rows(request.user, [activation])[0],
        "form": form,
        "limit": limit,
        "obstacle": obstacle or (limit.obstacle if limit.is_reached else ""),
        "known": known_devices(request.user, item.owner_id, but=activation.device_id),
    }
    return render(request, f"entitlements/activation/{name}.html", context)


@requires(Permission.ACTIVATE)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def activation_rehost(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for the other device; the page of its license is the result (L4)."""
    activation = _load(request, pk)
    form = RehostForm(posted(request), actor=request.user, activation=activation)
    license = submit(form, rehost, keyed=True, actor=request.user, activation_id=pk)
    if license is None:
        obstacle = activation_obstacle(activation.item)
        return _show(request, activation, form, "activation_rehost", obstacle)
    moved = _("The copies are now on this device.")
    messages.success(request, f"{moved} {_left_sentence(request, activation.item)}")
    return redirect("license_detail", license.license_id)


@requires(Permission.ACTIVATE)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def device_replace(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what is rehosted, what stays and why, and ask for the other device (L4)."""
    device = load_device(request, pk)
    this = replacement(request.user, device)
    form = ReplaceDeviceForm(posted(request), actor=request.user, items=this.items)
    other = submit(form, replace_device, keyed=True, actor=request.user, device_id=pk)
    if other is None:
        context = {
            "row": device_rows(request.user, [device])[0],
            "this": this,
            "form": form,
            "known": known_devices(request.user, device.account_id, but=pk),
        }
        return render(request, "entitlements/activation/device_replace.html", context)
    moved = _(
        "Everything that could be rehosted is now on this device. Load the license files into the device."
    )
    messages.success(request, moved)
    return redirect("device_detail", other.pk)
