"""The page on which the lines of a bulk split are entered (E6, E7)."""

import csv
import io
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from accounts.quotas import Quota, spend
from entitlements.bulk.files.columns import COLUMNS, label_of
from entitlements.bulk.files.export import template
from entitlements.bulk.forms import (
    EMPTY_LINES,
    MAX_LINES_ON_SCREEN,
    BulkSplitForm,
    LineForm,
    typed_lines,
)
from entitlements.bulk.pages import source_choices, suggestions
from entitlements.bulk.services.jobs import lines_of
from entitlements.bulk.services.lines import BulkLine
from entitlements.bulk.services.requests import start_bulk_split
from entitlements.items.checks import split_obstacle
from entitlements.items.predicates import may_split
from entitlements.items.rows import item_rows
from entitlements.items.shortcuts import deny_unless
from entitlements.models import BulkSplit, LineItem, Origin
from mxportal.shared.drafts import Sent, keeps_draft, posted
from mxportal.shared.numbers import typed_number
from mxportal.shared.rows import changed_rows
from mxportal.shared.spreadsheets import MAX_FILE_BYTES, TYPES
from mxportal.shared.stamps import takes_up_to
from mxportal.shared.views import download


@requires(Permission.SPLIT)
@require_http_methods(["GET", "HEAD", "POST"])
@takes_up_to(MAX_FILE_BYTES)
@keeps_draft()
def bulk_split_create(request: PortalRequest) -> HttpResponse:
    """Take the lines for the ticked items from a table, a file or a pasted text. Nothing that was typed is lost."""
    sources = _ticked(request)
    if not sources:
        messages.warning(request, _("Tick the line items that you want to split, then choose “Bulk split”."))
        return redirect("line_item_list")
    sent = posted(request)
    if sent is None:
        return _show_create(request, sources, *_initial(request, len(sources)))
    if sent.is_typed or sent.get("step"):
        form = BulkSplitForm(actor=request.user, sources=len(sources), initial=_typed(sent))
        return _show_create(request, sources, form, changed_rows(typed_lines(sent), sent, BulkLine))
    if not sent.is_draft:
        spend(request.user, Quota.UPLOADS)
    form = BulkSplitForm(sent, request.FILES, actor=request.user, sources=len(sources))
    if form.is_valid() and not sent.is_draft:
        try:
            draft = _draft(request)
            bulk = start_bulk_split(
                actor=request.user,
                item_ids=[source.pk for source in sources],
                replaces=draft.pk if draft else None,
                **form.service_arguments(),
            )
            return redirect("bulk_split_detail", pk=bulk.pk)
        except ValidationError as error:
            form.add_service_error(error)
    return _show_create(request, sources, form, typed_lines(sent))


def _ticked(request: PortalRequest) -> list[LineItem]:
    """Return the ticked items.

    Raises Http404 for items that do not exist, PermissionDenied if the reader may split none.
    """
    if again := _draft(request):
        wanted = set(again.sources.values_list("pk", flat=True))
    else:
        wanted = {pk for pk in map(typed_number, request.GET.getlist("item")) if pk is not None}
    visible = LineItem.objects.visible_to(request.user).filter(pk__in=wanted)
    sources = list(visible.select_related("product", "entitlement").order_by("pk"))
    if len(sources) != len(wanted):
        raise Http404
    own = [source for source in sources if may_split(request.user, source)]
    deny_unless(bool(own) or not sources)
    if len(own) < len(sources):
        messages.warning(
            request,
            _("Line items that belong to other companies were left out: only their owners can split them."),
        )
    return own


def _draft(request: PortalRequest) -> BulkSplit | None:
    """Return the bulk split whose lines are to be changed."""
    again = typed_number(request.GET.get("again", ""))
    if again is None:
        return None
    own = BulkSplit.objects.visible_to(request.user).filter(account=request.user.account)
    return get_object_or_404(own, pk=again)


def _initial(request: PortalRequest, sources: int) -> tuple[BulkSplitForm, list[BulkLine]]:
    """Return the form and lines: empty, or those of a draft, as a text if they are too many for the table."""
    draft, way = _draft(request), request.GET.get("way", "")
    if draft is None:
        return BulkSplitForm(actor=request.user, sources=sources, initial={"way": way}), []
    lines = lines_of(draft)
    initial: dict[str, Any] = {"way": way, "create_customers": draft.create_customers}
    if len(lines) <= MAX_LINES_ON_SCREEN:
        return BulkSplitForm(actor=request.user, sources=sources, initial=initial), lines
    initial |= {"way": way or Origin.PASTE, "text": _as_text(lines)}
    return BulkSplitForm(actor=request.user, sources=sources, initial=initial), []


def _as_text(lines: list[BulkLine]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(label_of(name) for name in COLUMNS)
    writer.writerows([getattr(line, name) for name in COLUMNS] for line in lines)
    return text.getvalue()


def _typed(sent: Sent) -> dict[str, Any]:
    typed: dict[str, Any] = {name: sent[name] for name in ("key", "text", "way") if name in sent}
    return typed | {"create_customers": "create_customers" in sent}


def _show_create(
    request: PortalRequest, sources: list[LineItem], form: BulkSplitForm, lines: list[BulkLine]
) -> HttpResponse:
    choices = source_choices(sources)
    lines = lines or [BulkLine()] * EMPTY_LINES
    context = {
        "form": form,
        "sources": [
            {"row": row, "error": split_obstacle(source)}
            for row, source in zip(item_rows(request.user, sources), sources, strict=True)
        ],
        "lines": [
            LineForm(line, place=place, sources=choices, asks_source=len(sources) > 1)
            for place, line in enumerate(lines)
        ],
        "may_add": len(lines) < MAX_LINES_ON_SCREEN,
        "several": len(sources) > 1,
        "item_query": urlencode({"item": [source.pk for source in sources]}, doseq=True),
        **suggestions(request.user),
    }
    return render(request, "entitlements/bulk/bulk_split_create.html", context)


@requires(Permission.SPLIT)
@require_safe
def bulk_split_template(request: PortalRequest, kind: str) -> HttpResponse:
    """Download an empty file with the right columns for the ticked items."""
    if kind not in TYPES:
        raise Http404
    name = _("bulk-split-template")
    return download(template(kind, _ticked(request)), f"{name}.{kind}", TYPES[kind])
