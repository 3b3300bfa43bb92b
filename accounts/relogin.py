"""Bring back a form that was sent after its login had ended, or from before another login (U10).

Nothing is executed: the form is shown to the person for whom it was made, who sends it again. Its key, signed by the
portal, says who that is. So a form forged elsewhere is never kept, and what one person typed is never shown to another.
"""

from typing import Any

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.http import client_address
from accounts.permissions import public
from mxportal.shared.drafts import address_of, keep, may_keep, new_draft, posted
from mxportal.shared.keys import reader_of
from mxportal.shared.views import page_before


class KeepingLoginRequiredMiddleware(LoginRequiredMiddleware):
    """Django's middleware, which besides keeps what was sent without a login until the person has logged in again."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        """Redirect to the login, which leads back to the form."""
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        return _log_in_first(request, _draft_address(request))


def _log_in_first(request: HttpRequest, address: str) -> HttpResponseRedirect:
    if address:
        messages.info(
            request,
            _("You were logged out. Your input is kept: log in, and the form shows it again."),
        )
    else:
        messages.warning(
            request, _("You were logged out, and nothing was changed. Log in and repeat the step.")
        )
    return redirect_to_login(address or page_before(request, reverse("home")))


def _draft_address(request: HttpRequest, *, reader: int | None = None) -> str:
    """Return the address of the form with what was typed; "" if it is not kept, or was made for another reader.

    Without a ``reader`` the key shows for whom the form was made, but not who sends it: so only a few forms are kept.
    """
    sent = posted(request)
    view = request.resolver_match.func if request.resolver_match else None
    made_for = reader_of(sent.get("key", "")) if sent is not None else None
    if sent is None or made_for is None or reader not in (None, made_for) or not hasattr(view, "keeps_draft"):
        return ""
    if reader is None and not may_keep(request, client_address(request), returning=True):
        return ""
    draft = new_draft()
    is_kept = keep(request, draft, sent, person=made_for, is_typed=False, is_news=True)
    return address_of(request, draft) if is_kept else ""


@public("Django shows it where a form's token does not fit")
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show a form from before a new login again, filled, to the person for whom it was made."""
    has_login = request.user.is_authenticated
    if has_login and request.path == resolve_url("account_login"):
        return redirect("home")  # the user has logged in in another window
    address = _draft_address(request, reader=request.user.pk if has_login else None)
    if address:
        return redirect(address) if has_login else _log_in_first(request, address)
    return render(request, "403_csrf.html", status=403)
