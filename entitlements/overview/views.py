"""Home, List Entitlements with its search and menus, and the pages of a line item and an entitlement."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PortalRequest
from accounts.models import User
from accounts.permissions import Permission, requires
from entitlements.identifiers.activation_ids import canonical, looks_like_activation_id
from entitlements.items.actions import ACTIONS_BY_STEP, menus_of_list
from entitlements.items.history import timeline
from entitlements.items.listing import NEWEST, ORDERS, Shown, Sort, for_rows, list_items, tabs_of
from entitlements.items.rows import item_rows
from entitlements.items.search import MAX_FOUND, find_by_activation_id
from entitlements.models import Entitlement, LineItem
from entitlements.overview.forms import ListFilter
from entitlements.overview.pages.entitlement import entitlement_page
from entitlements.overview.pages.home import home_page
from entitlements.overview.pages.item import item_page
from entitlements.overview.pages.lineage import lineage
from mxportal.shared.drafts import keeps_draft, posted
from mxportal.shared.numbers import typed_number
from mxportal.shared.pagination import capped_count, paginate

FOREIGN_ID_SLACK = 10  # how many characters longer or shorter IDs of other systems are


@requires(Permission.VIEW)
@require_safe
def line_item_list(request: PortalRequest) -> HttpResponse:
    """List the line items that the reader sees, in keyset pages (E12)."""
    form = ListFilter(request.GET, actor=request.user)
    form.is_valid()
    if "q" in form.errors:
        return _list_page(request, form)
    listing = list_items(actor=request.user, **form.filters())
    order = ORDERS[form.value("sort") or Sort.NEWEST]
    page = paginate(request, listing.items, order=order, parts=listing.parts)
    return _list_page(
        request,
        form,
        page=page,
        rows=item_rows(request.user, page.items),
        count=capped_count(listing.items),
        found_at_most=MAX_FOUND if listing.capped else None,
    )


def _list_page(request: PortalRequest, form: ListFilter, **found: Any) -> HttpResponse:
    query = form.as_query()
    here = query | {name: request.GET[name] for name in ("after", "before") if name in request.GET}
    context = {
        "form": form,
        "tabs": _tabs(request.user, query),
        "menus": menus_of_list(request.user),
        "query": urlencode(here),
        "ticked": set(_ticked(request)),
        **found,
    }
    return render(request, "entitlements/overview/line_item_list.html", context)


def _ticked(request: PortalRequest) -> list[int]:
    return [pk for pk in map(typed_number, request.GET.getlist("item")) if pk is not None]


def _tabs(actor: User, query: dict[str, str]) -> list[dict[str, Any]]:
    now = query.get("shown", Shown.ALL)
    tabs = []
    for shown in tabs_of(actor):
        url = reverse("line_item_list", query=query | {"shown": shown.value})
        tabs.append({"label": shown.label, "url": url, "current": shown == now})
    return tabs


@requires(Permission.VIEW)
@require_http_methods(["GET", "POST"])
@keeps_draft(has_form=False)
def line_item_search(request: PortalRequest) -> HttpResponse:
    """Search for what may be a secret; text that is no Activation ID goes on to the list's own address (E5)."""
    sent = posted(request)
    if sent is None:
        return redirect("line_item_list")
    form = ListFilter(sent, actor=request.user)
    if not form.is_valid() and "q" in form.errors:
        return _list_page(request, form)
    text = form.value("q")
    if text and (item := find_by_activation_id(request.user, text)):
        return redirect("line_item_detail", item.pk)
    # An ID of ours or another system, or half of one, must not appear in an address.
    if canonical(text) or looks_like_activation_id(text, slack=FOREIGN_ID_SLACK):
        form.add_error("q", _("No line item with this Activation ID."))
        return _list_page(request, form)
    return redirect(reverse("line_item_list", query=form.as_query()))


@requires(Permission.VIEW)
@require_safe
def line_item_go(request: PortalRequest, step: str) -> HttpResponse:
    """Go from the list's menu and the ticked row to an action.

    An action takes one line item, as in the manual; a bulk split takes all that are ticked.
    """
    action = ACTIONS_BY_STEP.get(step)
    if action is None:
        raise Http404
    ticked = _ticked(request)
    if action.takes_several or len(ticked) == 1:
        return redirect(action.url(ticked))
    back = QueryDict(request.GET.get("list", ""), mutable=True)
    back.setlist("item", [str(pk) for pk in ticked])
    address = reverse("line_item_list", query=back)
    if action.new_window and "here" not in request.GET:
        return render(request, "entitlements/overview/line_item_tick_one.html", {"back": address})
    messages.warning(request, _tick_one(step, len(ticked)))
    return redirect(address)


def _tick_one(step: str, ticked: int) -> str:
    if step == "split" and ticked > 1:
        return _("Tick exactly one line item. “Bulk split” splits several at once.")
    return _("Tick exactly one line item.")


@requires(Permission.VIEW)
@require_safe
def line_item_detail(request: PortalRequest, pk: int) -> HttpResponse:
    """Show one line item, as far as the reader may see it."""
    items = LineItem.objects.visible_to(request.user)
    item = get_object_or_404(for_rows(items).select_related("contact"), pk=pk)
    splits = for_rows(items).filter(parent=item)
    page = paginate(request, splits, order=("-id",))
    return render(
        request,
        "entitlements/overview/line_item_detail.html",
        {"this": item_page(request.user, item), "page": page, "splits": item_rows(request.user, page.items)},
    )


@requires(Permission.VIEW)
@require_safe
def entitlement_detail(request: PortalRequest, pk: int) -> HttpResponse:
    """Show one order and those of its lines that the reader sees (E7)."""
    entitlement = get_object_or_404(Entitlement.objects.visible_to(request.user), pk=pk)
    lines = for_rows(LineItem.objects.visible_to(request.user)).filter(entitlement=entitlement)
    page = paginate(request, lines.select_related("contact"), order=NEWEST)
    context = {
        "this": entitlement_page(request.user, entitlement, page.items),
        "page": page,
        "rows": item_rows(request.user, page.items),
    }
    return render(request, "entitlements/overview/entitlement_detail.html", context)


@requires(Permission.VIEW)
@require_safe
def line_item_history(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what happened to one item, newest first, and its lineage, masked for the reader (E12)."""
    item = get_object_or_404(for_rows(LineItem.objects.visible_to(request.user)), pk=pk)
    after = request.GET.get("after", "")
    context = {
        "row": item_rows(request.user, [item])[0],
        "lineage": None if after else lineage(request.user, item),
        "timeline": timeline(request.user, item, after),
    }
    return render(request, "entitlements/overview/line_item_history.html", context)


@requires(Permission.VIEW)
@require_safe
def home(request: PortalRequest) -> HttpResponse:
    """Show what needs doing – copies to hand on, expiring items, failed mails, requests – and the last activity."""
    return render(request, "entitlements/overview/home.html", {"this": home_page(request.user)})
