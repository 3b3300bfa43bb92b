"""The magnifier: choose an account of a lower tier, then a person of it; as full pages and in the page's dialog.

The unfinished form travels along: every parameter that is not the pickers' own is carried and handed back to ``back``,
with ``account`` and ``contact``.
"""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.forms.pickers import AccountPickForm, ContactPickForm
from accounts.http import PortalRequest
from accounts.models import Account, User
from accounts.permissions import Permission, requires
from accounts.presentation import person_rows
from mxportal.shared.numbers import typed_number
from mxportal.shared.pagination import paginate
from mxportal.shared.views import own_address, with_query

OWN_PARAMETERS = {
    "back", "tier", "q", "account", "contact", "person", "after", "before", "none", "next", "csrfmiddlewaretoken",
}  # fmt: skip


def _carried(query: QueryDict) -> list[tuple[str, str]]:
    """Return the fields of the unfinished form."""
    return [(name, value) for name, values in query.lists() if name not in OWN_PARAMETERS for value in values]


def _return_context(request: PortalRequest) -> dict[str, Any]:
    """Return where the choice leads back to, and what it carries."""
    back = own_address(request.GET.get("back", ""), default=reverse("home"))
    carried = _carried(request.GET)
    query = QueryDict(mutable=True)
    for name, value in carried:
        query.appendlist(name, value)
    back_with_all = f"{back}{'&' if '?' in back else '?'}{query.urlencode()}" if carried else back
    return {"back": back, "carried": carried, "back_with_all": back_with_all, "query": query}


def _account_pick_url(request: PortalRequest, **more: object) -> str:
    """Return the address of the first of the two pages, with everything that is carried."""
    journey = _return_context(request)
    address = f"{reverse('account_pick')}?{journey['query'].urlencode()}"
    own = {name: request.GET[name] for name in ("tier", "q") if name in request.GET}
    return with_query(address, **{"back": journey["back"], **own, **more})


@requires(Permission.SPLIT)
@require_safe
def account_pick(request: PortalRequest) -> HttpResponse:
    """Choose the target account: Distribution Tier Type, search, and the accounts of that tier."""
    form = AccountPickForm(request.GET, actor=request.user)
    page = paginate(request, form.filter(Account.objects.targets_of(request.user)), order=("name_key", "id"))
    context = {
        "form": form,
        "page": page,
        "chosen": request.GET.get("account", ""),
        "nothing_ticked": "none" in request.GET,
        "partner_tiers": request.user.account.partner_tiers(),
        **_return_context(request),
    }
    return render(request, "accounts/account_pick.html", context)


@requires(Permission.SPLIT)
@require_safe
def contact_pick(request: PortalRequest) -> HttpResponse:
    """Choose a contact among the active persons of the ticked account."""
    account = _ticked_account(request)
    if account is None:
        return redirect(_account_pick_url(request, none=1))
    form = ContactPickForm(request.GET)
    people = User.objects.visible_to(request.user).active().filter(account=account)
    page = paginate(request, form.filter(people), order=("last_name", "id"))
    context = {
        "form": form,
        "page": page,
        "people": person_rows(page.items),
        "account": account,
        "chosen": request.GET.get("contact") or (str(page.items[0].pk) if len(page.items) == 1 else ""),
        "is_managed": Account.objects.managed_by(request.user).filter(pk=account.pk).exists(),
        "another_account_url": _account_pick_url(request, account=account.pk),
        **_return_context(request),
    }
    return render(request, "accounts/contact_pick.html", context)


def _ticked_account(request: PortalRequest) -> Account | None:
    ticked = typed_number(request.GET.get("account", ""))
    return Account.objects.targets_of(request.user).filter(pk=ticked).first() if ticked else None
