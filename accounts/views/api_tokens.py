"""The pages of the account's API tokens and of the API's log (P1)."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.api_tokens import NewApiTokenForm
from accounts.http import PortalRequest
from accounts.models import ApiRequest, ApiToken
from accounts.models.api_token import hash_token
from accounts.permissions import Permission, requires
from accounts.presentation import token_rows
from accounts.services.api_tokens import (
    create_api_token,
    new_secret,
    revoke_api_token,
    take_over_api_token,
)
from mxportal.shared.drafts import keeps_draft, shown_once
from mxportal.shared.forms import KeyedForm
from mxportal.shared.pagination import paginate
from mxportal.shared.views import missing_is_404, posted, submit


@requires(Permission.MANAGE_TOKENS)
@require_safe
def api_token_list(request: PortalRequest) -> HttpResponse:
    """List the tokens of the reader's account, newest first."""
    tokens = ApiToken.objects.visible_to(request.user).select_related("user__account", "created_by")
    page = paginate(request, tokens, order=("-id",))
    return render(request, "accounts/api_token_list.html", {"page": page, "rows": token_rows(page.items)})


@requires(Permission.MANAGE_TOKENS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def api_token_create(request: PortalRequest) -> HttpResponse:
    """Create a token and show it in the answer to the form: it is not kept, so no address can show it again."""
    form = NewApiTokenForm(posted(request), actor=request.user)
    secret = new_secret()
    token = submit(form, create_api_token, keyed=True, actor=request.user, secret=secret)
    if token is None:
        return render(request, "accounts/api_token_create.html", {"form": form})
    is_new = token.token_hash == hash_token(secret)
    context = {"token": token, "secret": secret if is_new else ""}
    return shown_once(render(request, "accounts/api_token_created.html", context))


@requires(Permission.MANAGE_TOKENS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def api_token_revoke(request: PortalRequest, pk: int) -> HttpResponse:
    """Revoke a token after a confirmation."""
    token = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk)
    form = KeyedForm(posted(request))
    if submit(form, revoke_api_token, actor=request.user, token_id=pk) is None:
        return render(request, "accounts/api_token_revoke.html", {"form": form, "token": token})
    messages.success(request, _("The token “%(name)s” is revoked.") % {"name": token.name})
    return redirect("api_token_list")


@requires(Permission.MANAGE_TOKENS)
@require_POST
def api_token_take_over(request: PortalRequest, pk: int) -> HttpResponse:
    """Let the token act in the reader's name."""
    try:
        with missing_is_404():
            token = take_over_api_token(actor=request.user, token_id=pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("api_token_list")
    messages.success(request, _("The token “%(name)s” acts in your name now.") % {"name": token.name})
    return redirect("api_token_list")


@requires(Permission.MANAGE_TOKENS)
@require_safe
def api_request_list(request: PortalRequest) -> HttpResponse:
    """List the requests to the API with the account's tokens, newest first."""
    requests = ApiRequest.objects.visible_to(request.user).select_related("token", "account")
    page = paginate(request, requests, order=("-id",))
    return render(request, "accounts/api_request_list.html", {"page": page})
