"""The page Actions → Transfer account (A7). It lies in this wing because items go with the account."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.models import Account, User
from accounts.permissions import Permission, requires
from accounts.services.transfers import possible_sellers, sellers_of, transferable_accounts
from entitlements.models import Device, LineItem
from entitlements.orders.forms.transfer import SellerSearchForm, TransferForm
from entitlements.orders.services.transfer import transfer_account
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.numbers import typed_number
from mxportal.shared.pagination import paginate
from mxportal.shared.views import posted, submit


@requires(Permission.TRANSFER_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def account_transfer(request: PortalRequest, pk: int) -> HttpResponse:
    """Show the possible sellers; once one is chosen, show what goes with the account and ask for the reason (A7)."""
    account = get_object_or_404(transferable_accounts(request.user), pk=pk)
    seller = _chosen_seller(request, account)
    if seller is None:
        return _show_choice(request, account)
    sellers = list(sellers_of(request.user, account).order_by("name_key", "pk"))
    form = TransferForm(posted(request), sellers=sellers, seller=seller)
    if submit(form, transfer_account, keyed=True, actor=request.user, account_id=pk) is None:
        context = {
            "account": account,
            "seller": seller,
            "form": form,
            **_transferred_counts(request.user, account),
        }
        return render(request, "accounts/account_transfer.html", context)
    messages.success(request, _("The account is transferred to %(seller)s.") % {"seller": seller.name})
    return redirect("account_detail", pk)


def _chosen_seller(request: PortalRequest, account: Account) -> Account | None:
    """Return the seller that was ticked or sent; None if there is none, or if it cannot be chosen."""
    sent = posted(request) or QueryDict()
    seller = typed_number(sent.get("seller_id", "") or request.GET.get("seller", ""))
    return possible_sellers(request.user, account).filter(pk=seller).first() if seller else None


def _show_choice(request: PortalRequest, account: Account) -> HttpResponse:
    form = SellerSearchForm(request.GET)
    others = possible_sellers(request.user, account).exclude(pk__in=_only_seller(request.user, account))
    page = paginate(request, form.filter(others), order=("name_key", "id"))
    context = {
        "account": account,
        "form": form,
        "page": page,
        "nothing_ticked": posted(request) is not None or "seller" in request.GET,
    }
    return render(request, "accounts/account_transfer_choose.html", context)


def _only_seller(actor: User, account: Account) -> list[int]:
    """Return the seller of an account that has just one: it cannot also be the new one.

    One of several can take over.
    """
    sellers = list(sellers_of(actor, account).values_list("pk", flat=True)[:2])
    return sellers if len(sellers) == 1 else []


def _transferred_counts(actor: User, account: Account) -> dict[str, int]:
    people = User.objects.visible_to(actor).active().filter(account=account)
    return {
        "items": LineItem.objects.visible_to(actor).filter(owner=account).count(),
        "served": LineItem.objects.visible_to(actor)
        .filter(owner=account, serving_account__isnull=False)
        .count(),
        "devices": Device.objects.visible_to(actor).filter(account=account).count(),
        "logins": people.logins().count(),
        "contacts": people.filter(can_log_in=False).count(),
        "buyers": Account.objects.visible_to(actor).bought_from(account).count(),
    }
