"""The list of bulk splits, the page of one in each of its states, and its actions (E6, E7, E8, E9)."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from accounts.quotas import Quota, spend
from accounts.visibility import person_name, visible_names
from entitlements.bulk import pages as bulk_page
from entitlements.bulk.files.export import result
from entitlements.bulk.forms import CarryOutForm, CorrectionForm, EmailAllForm, UndoAllForm, wrong_lines
from entitlements.bulk.services.jobs import has_errors, progress_of, sources_of
from entitlements.bulk.services.requests import (
    carry_out,
    correct_bulk_split,
    discard_bulk_split,
    email_bulk_split,
    undo_bulk_split,
)
from entitlements.bulk.services.undo import blocked_items, items_with_copies
from entitlements.items.listing import for_rows
from entitlements.items.rows import item_rows
from entitlements.models import BulkSplit, BulkState, LineItem
from entitlements.models.bulk_split import CARRIED_OUT, DRAFTS, WAITING, WORKING
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.forms import KeyedForm
from mxportal.shared.pagination import paginate
from mxportal.shared.spreadsheets import TYPES
from mxportal.shared.views import download, posted, submit

LARGE_COLUMNS = ("lines", "findings")  # needed only in the preview


@requires(Permission.VIEW)
@require_safe
def bulk_split_list(request: PortalRequest) -> HttpResponse:
    """List the bulk splits of the reader's account, newest first."""
    bulks = BulkSplit.objects.visible_to(request.user).defer(*LARGE_COLUMNS).select_related("actor")
    page = paginate(request, bulks, order=("-id",))
    names = visible_names(request.user, [bulk.account_id for bulk in page.items])
    wrong = set(
        BulkSplit.objects.visible_to(request.user).to_correct(page.items).values_list("pk", flat=True)
    )
    rows = [
        {"bulk": bulk, "account": names[bulk.account_id], "is_wrong": bulk.pk in wrong} for bulk in page.items
    ]
    return render(request, "entitlements/bulk/bulk_split_list.html", {"page": page, "rows": rows})


@requires(Permission.VIEW)
@require_safe
def bulk_split_detail(request: PortalRequest, pk: int) -> HttpResponse:
    """Show progress, preview or result, by the state."""
    return _show(request, _load(request, pk))


def _show(request: PortalRequest, bulk: BulkSplit, refused: CorrectionForm | None = None) -> HttpResponse:
    undone_by = bulk.undone_by
    others = undone_by.account_id if undone_by else None
    names = visible_names(request.user, [bulk.account_id, others])
    context = {
        "bulk": bulk,
        "account": names[bulk.account_id],
        "undone_by": person_name(request.user, undone_by, names),
        "is_own": bulk.account_id == request.user.account_id,
    }
    if bulk.state in WORKING:
        context |= {"done": progress_of(bulk)}
    elif bulk.state in CARRIED_OUT:
        context |= _result(request, bulk)
    elif bulk.state in DRAFTS:
        context |= _preview(request, bulk, refused)
    return render(request, "entitlements/bulk/bulk_split_detail.html", context)


def _load(request: PortalRequest, pk: int) -> BulkSplit:
    visible = BulkSplit.objects.visible_to(request.user).defer(*LARGE_COLUMNS)
    return get_object_or_404(visible.select_related("actor__account", "undone_by"), pk=pk)


def _preview(request: PortalRequest, bulk: BulkSplit, refused: CorrectionForm | None) -> dict[str, Any]:
    bulk.refresh_from_db(fields=LARGE_COLUMNS)
    creates = "create_customers" in refused.data if refused else bulk.create_customers
    actor, sources = request.user, sources_of(bulk)
    page, rows = bulk_page.line_page(actor, bulk, request.GET.get("page", ""))
    seen = {"seen": bulk.version}
    return {
        "is_right": bulk.state == BulkState.READY and not has_errors(bulk),
        "sources": bulk_page.source_rows(actor, bulk, sources),
        "wrong": wrong_lines(bulk, sources, refused.typed_by_number() if refused else {}),
        "wrong_count": len(bulk.findings.get("lines", {})),
        "several": len(sources) > 1,
        "new_customers": bulk.findings.get("new_customers", 0),
        "lines": rows,
        "pages": page,
        "correction": CorrectionForm(actor=actor, initial=seen | {"create_customers": creates}),
        "carry_out": CarryOutForm(initial=seen),
        **bulk_page.suggestions(actor),
    }


def _result(request: PortalRequest, bulk: BulkSplit) -> dict[str, Any]:
    actor = request.user
    items = for_rows(LineItem.objects.visible_to(actor).filter(bulk_splits=bulk))
    page = paginate(request, items, order=("id",))
    return {
        "page": page,
        "rows": item_rows(actor, page.items),
        "email": EmailAllForm(),
        "mails": bulk_page.mail_counts(actor, bulk),
        "failed": bulk_page.failed_mails(actor, bulk),
        "moved": bulk_page.transferred_count(bulk),
    }


@requires(Permission.SPLIT)
@require_http_methods(["GET", "POST"])
@keeps_draft(has_form=False)
def bulk_split_correct(request: PortalRequest, pk: int) -> HttpResponse:
    """Save corrected lines and check all again. After a refusal the page shows what was typed."""
    sent = posted(request)
    if sent is None:
        return redirect("bulk_split_detail", pk=pk)
    form = CorrectionForm(sent, actor=request.user)
    if submit(form, correct_bulk_split, keyed=True, actor=request.user, bulk_id=pk) is None:
        bulk = _load(request, pk)
        say_errors(request, form)
        if bulk.state in WAITING:
            return _show(request, bulk, refused=form)
    return redirect("bulk_split_detail", pk=pk)


@requires(Permission.SPLIT)
@require_POST
def bulk_split_carry_out(request: PortalRequest, pk: int) -> HttpResponse:
    """Carry out "Split all"."""
    form = CarryOutForm(posted(request))
    if submit(form, carry_out, keyed=True, actor=request.user, bulk_id=pk) is None:
        _load(request, pk)
        say_errors(request, form)
    return redirect("bulk_split_detail", pk=pk)


def say_errors(request: PortalRequest, form: Form) -> None:
    """Show the first refusal of each field as a message above the page with the present state."""
    for errors in form.errors.values():
        messages.error(request, str(errors[0]))


@requires(Permission.VIEW)
@require_safe
def bulk_split_download(request: PortalRequest, pk: int, kind: str) -> HttpResponse:
    """Download all new Activation IDs as a file."""
    bulk = _load(request, pk)
    if kind not in TYPES or bulk.state not in CARRIED_OUT:
        raise Http404
    spend(request.user, Quota.DOCUMENTS)
    name = _("bulk-split")
    return download(result(request.user, bulk, kind), f"{name}-{pk}.{kind}", TYPES[kind])


@requires(Permission.SEND_MAIL)
@require_POST
def bulk_split_email(request: PortalRequest, pk: int) -> HttpResponse:
    """Carry out "Email all"."""
    form = EmailAllForm(posted(request))
    mailed = submit(form, email_bulk_split, keyed=True, actor=request.user, bulk_id=pk)
    if mailed is None:
        _load(request, pk)
        say_errors(request, form)
    elif not mailed.failure:
        messages.success(request, _("The e-mails are on their way. You can follow them below."))
    return redirect("bulk_split_detail", pk=pk)


@requires(Permission.SPLIT)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def bulk_split_discard(request: PortalRequest, pk: int) -> HttpResponse:
    """Discard the draft after a confirmation."""
    own = BulkSplit.objects.visible_to(request.user).filter(account=request.user.account)
    bulk = get_object_or_404(own.defer(*LARGE_COLUMNS), pk=pk)
    form = KeyedForm(posted(request))
    if submit(form, discard_bulk_split, keyed=True, actor=request.user, bulk_id=pk) is not None:
        messages.success(request, _("The bulk split was discarded. Nothing was split."))
        return redirect("bulk_split_list")
    context = {"bulk": bulk, "form": form, "is_draft": bulk.state in DRAFTS}
    return render(request, "entitlements/bulk/bulk_split_discard.html", context)


@requires(Permission.UNDO_SPLIT)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def bulk_split_undo(request: PortalRequest, pk: int) -> HttpResponse:
    """Carry out "Undo all" after a confirmation, or say what blocks it."""
    bulk = _load(request, pk)
    others = bulk.account_id != request.user.account_id
    form = UndoAllForm(posted(request), needs_reason=others)
    undone = submit(form, undo_bulk_split, keyed=True, actor=request.user, bulk_id=pk)
    if undone is not None:
        if undone.state == BulkState.UNDOING:
            messages.success(request, _("The bulk split is being undone."))
        return redirect("bulk_split_detail", pk=pk)
    items = items_with_copies(bulk) if bulk.state == BulkState.DONE else []
    stuck = blocked_items(request.user, items)
    context = {
        "bulk": bulk,
        "form": form,
        "open": len(items),
        "copies": sum(item.quantity for item in items),
        "blocked": bulk_page.blocked_rows(request.user, stuck),
        "blocked_count": len(stuck),
    }
    return render(request, "entitlements/bulk/bulk_split_undo.html", context)
