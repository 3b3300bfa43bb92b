"""The pages of users and contacts (U1–U7)."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.forms.users import EditUserForm, NewUserForm
from accounts.http import PortalRequest
from accounts.models import Account, Tier, User
from accounts.permissions import Permission, requires
from accounts.presentation import history, login_state, mails_of
from accounts.services.credentials import retry_user_mail, send_credentials
from accounts.services.users import create_user, update_user
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.forms import KeyedForm
from mxportal.shared.views import missing_is_404, own_address, posted, submit, with_query
from notifications.bounces import refusals_of

LOGINS_SHOWN = 20


@requires(Permission.MANAGE_USERS)
@keeps_draft()
def user_create(request: PortalRequest, pk: int) -> HttpResponse:
    """Create a user or a contact at an account, and return to the page that needed it (?next=)."""
    account = get_object_or_404(Account.objects.managed_by(request.user), pk=pk)
    asked = request.GET.get("login", "yes") != "no" and account.tier != Tier.END_CUSTOMER
    form = NewUserForm(posted(request), account=account, actor=request.user, can_log_in=asked)
    user = submit(form, create_user, keyed=True, actor=request.user, account_id=pk)
    if user is None:
        return render(request, "accounts/user_create.html", {"form": form, "account": account})
    messages.success(request, _created(user))
    next_url = own_address(request.GET.get("next", ""))
    if next_url:
        return redirect(with_query(next_url, account=pk, contact=user.pk))
    return redirect("account_detail", pk)


def _created(user: User) -> str:
    if user.login:
        text = _(
            "{name} can log in as soon as the e-mail with user ID and temporary password has arrived "
            'at {email}. <a href="{url}">Follow the e-mail</a>'
        )
    else:
        text = _('{name} is added as a contact. <a href="{url}">Show the contact</a>')
    return format_html(text, name=user, email=user.email, url=reverse("user_detail", args=[user.pk]))


@requires(Permission.VIEW)
@require_safe
def user_detail(request: PortalRequest, pk: int) -> HttpResponse:
    """Show a person, with logins, mails and history for readers who manage the person (U4, U6)."""
    user = get_object_or_404(User.objects.visible_to(request.user).select_related("account"), pk=pk)
    is_managed = User.objects.managed_by(request.user).filter(pk=pk).exists()
    may_manage = is_managed and request.user.may(Permission.MANAGE_USERS)
    context = {
        "person": user,
        "login_state": login_state(user),
        "refusal": refusals_of([user.email]).get(user.email),
        "may_manage": may_manage,
        "mails": mails_of(User.objects.visible_to(request.user).filter(pk=pk)) if may_manage else [],
        "logins": user.login_records.order_by("-id")[:LOGINS_SHOWN] if may_manage else [],
        "history": history(request.user, user) if may_manage else [],
    }
    return render(request, "accounts/user_detail.html", context)


@requires(Permission.MANAGE_USERS)
@keeps_draft()
def user_edit(request: PortalRequest, pk: int) -> HttpResponse:
    """Change a person; taking the access away needs a confirmation (U7)."""
    user = get_object_or_404(User.objects.managed_by(request.user).select_related("account"), pk=pk)
    form = EditUserForm(posted(request), user=user)
    changed = submit(form, update_user, actor=request.user, user_id=pk)
    if changed is None:
        return render(request, "accounts/user_edit.html", {"form": form, "person": user})
    messages.success(request, _saved(changed, user.login))
    return redirect("user_detail", pk)


def _saved(user: User, old_login: str | None) -> str:
    if user.login and user.login != old_login:
        return _("Saved. An e-mail with user ID and temporary password is on its way to %(email)s.") % {
            "email": user.email
        }
    return _("Saved.")


@requires(Permission.MANAGE_USERS)
@keeps_draft()
def user_credentials(request: PortalRequest, pk: int) -> HttpResponse:
    """Send new credentials after a confirmation (U4)."""
    logins = User.objects.managed_by(request.user).active().logins()
    user = get_object_or_404(logins.select_related("account"), pk=pk)
    form = KeyedForm(posted(request))
    if submit(form, send_credentials, keyed=True, actor=request.user, user_id=pk) is None:
        return render(request, "accounts/user_credentials.html", {"form": form, "person": user})
    text = _("An e-mail with user ID and a new temporary password is on its way to %(email)s.")
    messages.success(request, text % {"email": user.email})
    return redirect("user_detail", pk)


@requires(Permission.MANAGE_USERS)
@require_POST
def user_mail_send_again(request: PortalRequest, pk: int, mail_pk: int) -> HttpResponse:
    """Make a failed mail to a person due now (N2)."""
    try:
        with missing_is_404():
            mail = retry_user_mail(actor=request.user, user_id=pk, mail_id=mail_pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("user_detail", pk)
    text = _("The e-mail to %(email)s is being sent again.") % {"email": mail.recipient_email}
    messages.success(request, text)
    return redirect("user_detail", pk)
