"""The pages "Split Entitlement Line Item" – form, summary, result – and "Undo split" (E6, E7, E8)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.activation.pages.rows import rows_of_item
from entitlements.items.checks import split_obstacle
from entitlements.items.predicates import may_hand_on, may_split, may_undo
from entitlements.items.rows import item_rows
from entitlements.items.shortcuts import (
    ACTIVATIONS_SHOWN,
    MAILS_SHOWN,
    SPLITS_SHOWN,
    deny_unless,
    load_item,
    load_party_item,
    shown,
)
from entitlements.models import LineItem
from entitlements.splits.forms import CARRIED_FIELDS, TICKS, CheckedSplitForm, SplitForm, UndoForm, prefilled
from entitlements.splits.services.obstacles import undo_obstacle
from entitlements.splits.services.split import split_line_item
from entitlements.splits.services.undo import undo_split
from mxportal.shared.drafts import PARAMETER, Sent, keeps_draft, posted
from mxportal.shared.views import submit

STEP_LABELS = (_("Account and amount"), _("Summary"), _("Result"))


@requires(Permission.SPLIT)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft(fill=prefilled)
def line_item_split(request: PortalRequest, pk: int) -> HttpResponse:
    """Show and handle all steps of a split under one address; the button that was pressed decides which."""
    item = load_item(request.user, pk)
    deny_unless(may_split(request.user, item))
    sent = posted(request)
    if sent is None:
        return _show_form(request, item, SplitForm(actor=request.user, item=item))
    step = _back if sent.is_typed else STEP_HANDLERS.get(sent.get("step", ""), _summarize)
    return step(request, item, sent)


def _show_form(request: PortalRequest, item: LineItem, form: SplitForm) -> HttpResponse:
    context = {
        "steps": STEP_LABELS,
        "row": shown(request.user, item),
        "obstacle": split_obstacle(item),
        "form": form,
        "carried": ",".join(("back", PARAMETER, *CARRIED_FIELDS)),
    }
    return render(request, "entitlements/splits/line_item_split.html", context)


def _back(request: PortalRequest, item: LineItem, sent: Sent) -> HttpResponse:
    """Go back from the summary to the form with everything that was typed, without checking it."""
    names = (*CARRIED_FIELDS, "target", "contact")
    typed: dict[str, Any] = {name: sent[name] for name in names if name in sent}
    typed |= {tick: sent.get(tick, "false") != "false" for tick in TICKS}
    return _show_form(request, item, SplitForm(actor=request.user, item=item, initial=typed))


def _open_picker(request: PortalRequest, item: LineItem, sent: Sent) -> HttpResponse:
    """Open the account picker without JavaScript; it returns to the form with the carried values."""
    carried = {name: str(sent[name]) for name in (PARAMETER, *CARRIED_FIELDS) if name in sent}
    query = urlencode({"back": reverse("line_item_split", args=[item.pk]), **carried})
    return redirect(f"{reverse('account_pick')}?{query}")


def _summarize(request: PortalRequest, item: LineItem, sent: Sent) -> HttpResponse:
    """Show what the split will do before it is carried out."""
    form = CheckedSplitForm(sent, actor=request.user, item=item)
    if split_obstacle(item) or not form.is_valid():
        return _show_form(request, item, form)
    context = {
        "steps": STEP_LABELS,
        "row": shown(request.user, item),
        "form": form,
        "copies": form.cleaned_data["copies"],
        "left": item.available - form.cleaned_data["copies"],
        "ticks": TICKS,
    }
    return render(request, "entitlements/splits/line_item_split_summary.html", context)


def _complete(request: PortalRequest, item: LineItem, sent: Sent) -> HttpResponse:
    """Carry out the split; the same request sent twice gets the same new item (E7)."""
    form = SplitForm(sent, actor=request.user, item=item)
    if not form.is_valid():
        return _show_form(request, item, form)
    if sent.is_draft:
        return _summarize(request, item, sent)
    try:
        new = split_line_item(
            actor=request.user, item_id=item.pk, key=form.cleaned_data["key"], **form.service_arguments()
        )
    except ValidationError as error:
        form.add_service_error(error)
        item.refresh_balances()
        form.show_available()
        return _show_form(request, item, form)
    return redirect("line_item_split_done", pk=new.pk)


STEP_HANDLERS = {"pick": _open_picker, "back": _back, "summary": _summarize, "complete": _complete}


@requires(Permission.SPLIT)
@require_safe
def line_item_split_done(request: PortalRequest, pk: int) -> HttpResponse:
    """Show the new Activation ID and the next possible steps."""
    item = load_item(request.user, pk)
    source = item.parent
    deny_unless(source is not None and may_hand_on(request.user, item))
    context = {
        "steps": STEP_LABELS,
        "row": shown(request.user, item),
        "mails": item.mails.order_by("-pk")[:MAILS_SHOWN],
        "may_undo": may_undo(request.user, item) and item.available,
        "source": source if source and may_split(request.user, source) else None,
    }
    return render(request, "entitlements/splits/line_item_split_done.html", context)


@requires(Permission.UNDO_SPLIT)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_undo(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask how many copies come back, and say why the others cannot (E8)."""
    item = load_party_item(request.user, pk)
    form = UndoForm(posted(request), actor=request.user, item=item)
    if submit(form, undo_split, keyed=True, actor=request.user, item_id=pk) is None:
        return _show_undo(request, item, form)
    _confirm_undo(request, form.cleaned_data["copies"])
    return redirect("line_item_detail", pk=pk)


def _confirm_undo(request: PortalRequest, copies: int) -> None:
    sentence = ngettext(
        "%(copies)s copy has gone back to the line item that it was split from.",
        "%(copies)s copies have gone back to the line item that they were split from.",
        copies,
    )
    messages.success(request, sentence % {"copies": copies})


def _show_undo(request: PortalRequest, item: LineItem, form: UndoForm) -> HttpResponse:
    item.refresh_balances()
    further = LineItem.objects.visible_to(request.user).filter(parent=item, quantity__gt=0)
    splits = further.select_related("product", "entitlement").order_by("-pk")
    context = {
        "row": shown(request.user, item),
        "form": form,
        "obstacle": undo_obstacle(request.user, item),
        "hand_back": not may_undo(request.user, item),
        "activations": rows_of_item(request.user, item, ACTIVATIONS_SHOWN),
        "splits": item_rows(request.user, splits[:SPLITS_SHOWN]),
    }
    return render(request, "entitlements/splits/line_item_undo.html", context)
