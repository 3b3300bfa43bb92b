"""The pages that create an entitlement, add lines to it and deploy it (E1)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.models import User
from accounts.permissions import Permission, requires
from accounts.visibility import visible_names
from entitlements.models import Entitlement, State
from entitlements.orders.forms.issue import (
    DeployForm,
    EntitlementForm,
    MoreLinesForm,
    changed_lines,
    line_forms,
    posted_lines,
    prefilled,
)
from entitlements.orders.services.issue import add_lines, create_entitlement, deploy_entitlement
from mxportal.shared.drafts import Sent, keeps_draft
from mxportal.shared.views import posted, submit

NOT_CARRIED = ("csrfmiddlewaretoken", "step", "back", "owner", "contact", "account")
HEAD_FIELDS = ("key", "owner", "contact", "order_number", "order_date")


@requires(Permission.CREATE_ENTITLEMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft(fill=prefilled)
def entitlement_create(request: PortalRequest) -> HttpResponse:
    """Show and save the order and its lines on one page; the button that was pressed decides what happens."""
    sent = posted(request)
    if sent is None:
        return _show_create(request, EntitlementForm(actor=request.user), line_forms([]))
    if sent.is_typed or sent.get("step", "save") not in ("pick", "save"):
        typed = {name: sent[name] for name in HEAD_FIELDS if name in sent}
        form = EntitlementForm(actor=request.user, initial=typed)
        return _show_create(request, form, changed_lines(sent))
    return _open_picker(sent) if sent.get("step") == "pick" else _save_create(request, sent)


def _open_picker(sent: Sent) -> HttpResponse:
    """Open the account picker without JavaScript; it returns to the form with the carried values."""
    carried = {name: str(sent[name]) for name in sent if name not in NOT_CARRIED}
    query = urlencode({"back": reverse("entitlement_create"), **carried})
    return redirect(f"{reverse('account_pick')}?{query}")


def _save_create(request: PortalRequest, sent: Sent) -> HttpResponse:
    form, lines = EntitlementForm(sent, actor=request.user), posted_lines(sent)
    if not all([form.is_valid(), lines.is_valid()]) or sent.is_draft:
        return _show_create(request, form, lines)
    try:
        entitlement = create_entitlement(
            actor=request.user,
            key=form.cleaned_data["key"],
            lines=[line.line() for line in lines],
            **form.service_arguments(),
        )
    except ValidationError as error:
        form.add_service_error(error)
        return _show_create(request, form, lines)
    messages.success(request, _("The entitlement is saved as a draft. Deploy it to send the Activation IDs."))
    return redirect("entitlement_detail", pk=entitlement.pk)


def _show_create(request: PortalRequest, form: EntitlementForm, lines: BaseFormSet) -> HttpResponse:
    context = {"form": form, "lines": lines, "may_add": len(lines) < lines.max_num}
    return render(request, "entitlements/orders/entitlement_create.html", context)


def _load_sold(request: PortalRequest, pk: int) -> Entitlement:
    """Return an entitlement that the actor's account sold: only those have drafts and get lines. Raises Http404."""
    sold = Entitlement.objects.visible_to(request.user).filter(seller=request.user.account)
    return get_object_or_404(sold.select_related("owner"), pk=pk)


@requires(Permission.CREATE_ENTITLEMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def entitlement_add_lines(request: PortalRequest, pk: int) -> HttpResponse:
    """Add more lines to an entitlement, again as drafts."""
    entitlement = _load_sold(request, pk)
    persons = User.objects.visible_to(request.user).active().filter(account=entitlement.owner)
    sent = posted(request)
    if sent is None:
        form = MoreLinesForm(persons=persons, initial={"contact": _last_contact(entitlement)})
        return _show_add(request, entitlement, form, line_forms([]))
    if sent.is_typed or sent.get("step", "save") != "save":
        form = MoreLinesForm(persons=persons, initial={name: sent.get(name) for name in ("key", "contact")})
        return _show_add(request, entitlement, form, changed_lines(sent))
    return _save_add(request, entitlement, MoreLinesForm(sent, persons=persons), posted_lines(sent))


def _last_contact(entitlement: Entitlement) -> int | None:
    return entitlement.line_items.order_by("-pk").values_list("contact", flat=True).first()


def _save_add(
    request: PortalRequest, entitlement: Entitlement, form: MoreLinesForm, lines: BaseFormSet
) -> HttpResponse:
    if not all([form.is_valid(), lines.is_valid()]) or form.is_draft:
        return _show_add(request, entitlement, form, lines)
    try:
        add_lines(
            actor=request.user,
            entitlement_id=entitlement.pk,
            key=form.cleaned_data["key"],
            lines=[line.line() for line in lines],
            **form.service_arguments(),
        )
    except ValidationError as error:
        form.add_service_error(error)
        return _show_add(request, entitlement, form, lines)
    messages.success(request, _("The lines are saved as drafts. Deploy them to send the Activation IDs."))
    return redirect("entitlement_detail", pk=entitlement.pk)


def _show_add(
    request: PortalRequest, entitlement: Entitlement, form: Any, lines: BaseFormSet
) -> HttpResponse:
    context = _entitlement_context(request, entitlement) | {
        "form": form,
        "lines": lines,
        "may_add": len(lines) < lines.max_num,
    }
    return render(request, "entitlements/orders/entitlement_add_lines.html", context)


def _entitlement_context(request: PortalRequest, entitlement: Entitlement) -> dict[str, Any]:
    names = visible_names(request.user, [entitlement.owner_id])
    return {"entitlement": entitlement, "owner_name": names[entitlement.owner_id]}


@requires(Permission.CHANGE_STATES)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def entitlement_deploy(request: PortalRequest, pk: int) -> HttpResponse:
    """Deploy every draft line, and mail the contacts (E1)."""
    entitlement = _load_sold(request, pk)
    form = DeployForm(posted(request))
    if submit(form, deploy_entitlement, keyed=True, actor=request.user, entitlement_id=pk) is not None:
        messages.success(request, _("The entitlement is deployed."))
        return redirect("entitlement_detail", pk=pk)
    drafts = (
        entitlement.line_items.filter(state=State.DRAFT).select_related("product", "contact").order_by("pk")
    )
    context = _entitlement_context(request, entitlement) | {"form": form, "drafts": drafts}
    return render(request, "entitlements/orders/entitlement_deploy.html", context)
