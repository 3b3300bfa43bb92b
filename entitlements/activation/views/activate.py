"""Action → Activate for one device, and the list of devices that hold copies of an item (L2)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest
from accounts.models import User
from accounts.permissions import Permission, requires
from entitlements.activation.forms.hosts import ActivateForm
from entitlements.activation.pages.downloads import MAX_IN_ZIP
from entitlements.activation.pages.rows import activation_rows, for_activation_rows
from entitlements.activation.services.activate import activate, activation_obstacle
from entitlements.items.predicates import may_activate
from entitlements.items.shortcuts import deny_unless, load_item, load_party_item, shown
from entitlements.models import Activation, Device
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.pagination import capped_count, paginate
from mxportal.shared.views import posted, submit

MAX_SUGGESTED_DEVICES = 200


@requires(Permission.ACTIVATE)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_activate(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for the device and the number of copies; the page of the license is the result (L2)."""
    item = load_item(request.user, pk)
    deny_unless(may_activate(request.user, item))
    initial = {name: request.GET[name] for name in ("host_id", "copies") if name in request.GET}
    form = ActivateForm(posted(request), actor=request.user, item=item, initial=initial)
    license = submit(form, activate, keyed=True, actor=request.user, item_id=pk)
    if license is None:
        item.refresh_balances()
        context = {
            "row": shown(request.user, item),
            "form": form,
            "obstacle": activation_obstacle(item),
            "known": known_devices(request.user, item.owner_id),
        }
        return render(request, "entitlements/activation/line_item_activate.html", context)
    messages.success(request, _("The device is activated."))
    return redirect("license_detail", license.license_id)


def known_devices(actor: User, account_id: int, *, but: int = 0) -> list[Device]:
    """Return an account's newest devices as suggestions, without the device ``but``, which is rehosted."""
    devices = Device.objects.visible_to(actor).filter(account=account_id).exclude(pk=but)
    return list(devices.order_by("-pk")[:MAX_SUGGESTED_DEVICES])


@requires(Permission.VIEW)
@require_safe
def line_item_activations(request: PortalRequest, pk: int) -> HttpResponse:
    """List every device that holds copies of the item, for its parties (L1)."""
    item = load_party_item(request.user, pk)
    held = for_activation_rows(Activation.objects.visible_to(request.user).held().filter(item=item))
    page = paginate(request, held, order=("-id",))
    context = {
        "row": shown(request.user, item),
        "page": page,
        "activations": activation_rows(request.user, page.items),
        "count": capped_count(held),
        "most_in_zip": MAX_IN_ZIP,
        "all_in_zip": held.order_by()[: MAX_IN_ZIP + 1].count() <= MAX_IN_ZIP,
    }
    return render(request, "entitlements/activation/line_item_activations.html", context)
