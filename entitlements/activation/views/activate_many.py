"""Action → Activate many devices: lines, check, activation of all or none, and their licenses (L2)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from accounts.quotas import Quota, spend
from entitlements.activation.forms.activate_many import ActivateManyForm
from entitlements.activation.pages.rows import activation_rows
from entitlements.activation.services.activate import MAX_DEVICES, activate_many, activation_obstacle
from entitlements.activation.views.licenses import in_range
from entitlements.items.predicates import may_activate
from entitlements.items.shortcuts import deny_unless, load_item, load_party_item, shown
from entitlements.models import License, LineItem
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.pagination import paginate
from mxportal.shared.spreadsheets import MAX_FILE_BYTES
from mxportal.shared.stamps import takes_up_to
from mxportal.shared.views import posted, submit

CARRY_OUT = "activate"


@requires(Permission.ACTIVATE)
@require_http_methods(["GET", "HEAD", "POST"])
@takes_up_to(MAX_FILE_BYTES)
@keeps_draft()
def line_item_activate_many(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask for the lines, check them, then activate all; the pressed button says which step is next (L2)."""
    item = load_item(request.user, pk)
    deny_unless(may_activate(request.user, item))
    if request.FILES:
        spend(request.user, Quota.UPLOADS)
    sent = posted(request)
    form = ActivateManyForm(sent, request.FILES or None, actor=request.user, item=item)
    if sent is None or sent.get("step") != CARRY_OUT or not form.is_valid() or form.wrong:
        return _show(request, item, form)
    licenses = submit(form, activate_many, keyed=True, actor=request.user, item_id=pk)
    if licenses is None:
        return _show(request, item, form)
    _say_done(request, len(licenses))
    numbers = [license.pk for license in licenses]
    query = {"first": min(numbers), "last": max(numbers)} if numbers else {}
    return redirect(reverse("line_item_activated", args=[pk], query=query))


def _say_done(request: PortalRequest, count: int) -> None:
    sentence = ngettext("%(count)s device is activated.", "%(count)s devices are activated.", count)
    messages.success(request, sentence % {"count": count})


def _show(request: PortalRequest, item: LineItem, form: ActivateManyForm) -> HttpResponse:
    item.refresh_balances()
    is_checked = form.is_bound and not form.is_typed and form.is_valid()
    context = {
        "row": shown(request.user, item),
        "form": form,
        "obstacle": activation_obstacle(item),
        "most": MAX_DEVICES,
        "checked": form.checked,
        "is_right": is_checked and not form.wrong,
    }
    return render(request, "entitlements/activation/line_item_activate_many.html", context)


@requires(Permission.VIEW)
@require_safe
def line_item_activated(request: PortalRequest, pk: int) -> HttpResponse:
    """Show the licenses that one request issued, while they are valid."""
    item = load_party_item(request.user, pk)
    licenses = in_range(
        request, License.objects.visible_to(request.user).valid().filter(activation__item=item)
    )
    related = licenses.select_related("activation__item__product", "activation__device")
    page = paginate(request, related, order=("id",))
    context = {
        "row": shown(request.user, item),
        "page": page,
        "activations": activation_rows(request.user, [license.activation for license in page.items]),
        "range": request.GET.urlencode(),
    }
    return render(request, "entitlements/activation/line_item_activated.html", context)
