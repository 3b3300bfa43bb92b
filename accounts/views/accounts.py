"""The pages List accounts and List related accounts, and the pages of one account (A2–A6)."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.forms.accounts import (
    AccountSearchForm,
    AccountStatusForm,
    EditAccountForm,
    NewAccountForm,
)
from accounts.http import PortalRequest
from accounts.models import Account, AccountStatus, SellingRelation, Tier, User
from accounts.permissions import Permission, requires
from accounts.presentation import history, person_rows, unsent_mails
from accounts.services.accounts import create_account, set_account_status, update_account
from accounts.visibility import visible_names
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.pagination import capped_count, paginate
from mxportal.shared.views import own_address, posted, submit, with_query


@dataclass(frozen=True)
class AccountRow:
    """An account of the list, and whether the reader's account manages it."""

    account: Account
    managed: bool


@requires(Permission.VIEW)
@require_safe
def account_list(request: PortalRequest) -> HttpResponse:
    """List accounts: show the reader's own."""
    return render(request, "accounts/account_list.html", {"accounts": [request.user.account]})


@requires(Permission.VIEW)
@require_safe
def related_account_list(request: PortalRequest) -> HttpResponse:
    """List related accounts: show the accounts that the reader's account sells to, by name."""
    form = AccountSearchForm(request.GET, actor=request.user)
    accounts = form.filter(Account.objects.related_to(request.user))
    page = paginate(request, accounts, order=("name_key", "id"))
    managed = _managed(request.user, page.items)
    context = {
        "form": form,
        "page": page,
        "rows": [AccountRow(account, account.pk in managed) for account in page.items],
        "count": capped_count(accounts),
    }
    return render(request, "accounts/related_account_list.html", context)


def _managed(actor: User, accounts: list[Account]) -> set[int]:
    found = Account.objects.managed_by(actor).filter(pk__in=[account.pk for account in accounts])
    return set(found.values_list("pk", flat=True))


@requires(Permission.VIEW)
@require_safe
def account_detail(request: PortalRequest, pk: int) -> HttpResponse:
    """Show an account: its fields, its people, what waits for an answer, its history."""
    account = get_object_or_404(Account.objects.visible_to(request.user), pk=pk)
    is_managed = Account.objects.managed_by(request.user).filter(pk=pk).exists()
    people = User.objects.visible_to(request.user).filter(account=account)
    page = paginate(request, people, order=("last_name", "id"))
    context = {
        "account": account,
        "is_own": account == request.user.account,
        "is_managed": is_managed,
        "page": page,
        "people": person_rows(page.items),
        "history": history(request.user, account) if is_managed else [],
        **_channel(request.user, account),
        **_to_do(request.user, account, is_managed),
    }
    return render(request, "accounts/account_detail.html", context)


def _channel(actor: User, account: Account) -> dict[str, Any]:
    """Return the sellers, for the account itself and MOBOTIX: sellers do not see one another (A2)."""
    if not (actor.account.is_mobotix or account == actor.account):
        return {"sellers": []}
    sellers = (
        SellingRelation.objects.visible_to(actor)
        .accepted()
        .filter(buyer=account)
        .values_list("seller", flat=True)
    )
    return {"sellers": sorted(str(name) for name in visible_names(actor, sellers).values())}


def _to_do(actor: User, account: Account, is_managed: bool) -> dict[str, Any]:
    """Return what waits for admins who manage the account: requests of sellers (A2), mails that were not sent (N2)."""
    if not (is_managed and actor.may(Permission.MANAGE_USERS)):
        return {"requests": [], "unsent": []}
    requests = (
        SellingRelation.objects.visible_to(actor)
        .requested()
        .filter(buyer=account)
        .select_related("seller", "requested_by")
    )
    return {
        "requests": requests if account == actor.account else [],
        "unsent": unsent_mails(User.objects.visible_to(actor).filter(account=account)),
    }


def _tiers_of(actor: User, kind: str) -> list[Tier]:
    """Return the tiers to choose from: End customer for customer accounts, those between for partner accounts (A2)."""
    if kind == "customer":
        return [Tier.END_CUSTOMER]
    if kind != "partner":
        raise Http404
    return actor.account.partner_tiers()


@requires(Permission.CREATE_ACCOUNTS)
@keeps_draft()
def account_create(request: PortalRequest, kind: str) -> HttpResponse:
    """Create a customer or partner account, and go on to its first user (A2)."""
    tiers = _tiers_of(request.user, kind)
    if not tiers:
        raise PermissionDenied
    form = NewAccountForm(posted(request), actor=request.user, tiers=tiers)
    known = {"actor": request.user} if "tier" in form.fields else {"actor": request.user, "tier": tiers[0]}
    account = submit(form, create_account, keyed=True, **known)
    if account is None:
        return render(request, "accounts/account_create.html", {"form": form, "kind": kind})
    messages.success(request, _created(account))
    next_url = own_address(request.GET.get("next", ""))
    address = reverse("user_create", args=[account.pk])
    return redirect(with_query(address, next=next_url) if next_url else address)


def _created(account: Account) -> str:
    return format_html(
        _("The account {account} ({account_id}) is created. Now add its first person."),
        account=account.name,
        account_id=account.account_id,
    )


@requires(Permission.MANAGE_USERS)
@keeps_draft()
def account_edit(request: PortalRequest, pk: int) -> HttpResponse:
    """Change the fields that are not fixed (A3)."""
    account = get_object_or_404(Account.objects.managed_by(request.user), pk=pk)
    form = EditAccountForm(posted(request), account=account)
    if submit(form, update_account, actor=request.user, account_id=pk) is None:
        return render(request, "accounts/account_edit.html", {"form": form, "account": account})
    messages.success(request, _("The account is saved."))
    return redirect("account_detail", pk)


@requires(Permission.CREATE_ACCOUNTS)
@keeps_draft()
def account_status(request: PortalRequest, pk: int) -> HttpResponse:
    """Set an account active or inactive after a confirmation (A5)."""
    managed = Account.objects.managed_by(request.user).exclude(pk=request.user.account_id)
    account = get_object_or_404(managed, pk=pk)
    target = AccountStatus.INACTIVE if account.is_active else AccountStatus.ACTIVE
    form = AccountStatusForm(posted(request), initial={"status": target})
    changed = submit(form, set_account_status, actor=request.user, account_id=pk)
    if changed is None:
        return render(request, "accounts/account_status.html", {"form": form, "account": account})
    messages.success(request, _status_set(changed))
    return redirect("account_detail", pk)


def _status_set(account: Account) -> str:
    if account.is_active:
        return _("The account is active again: its users can log in, and copies can be split to it.")
    return _("The account is inactive: its users cannot log in, and nothing can be split to it.")
