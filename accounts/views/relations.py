"""The pages on which a partner gets a further seller (A2)."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms.accounts import RelationRequestForm
from accounts.http import PortalRequest
from accounts.models import RelationStatus, SellingRelation
from accounts.permissions import Permission, requires
from accounts.services.relations import decide_relation, request_relation
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import missing_is_404, posted, submit


@requires(Permission.CREATE_ACCOUNTS)
@keeps_draft()
def relation_request(request: PortalRequest) -> HttpResponse:
    """Ask a partner account to buy from the reader's account, too."""
    if not request.user.account.partner_tiers():
        raise PermissionDenied
    form = RelationRequestForm(posted(request))
    if submit(form, request_relation, actor=request.user) is None:
        return render(request, "accounts/relation_request.html", {"form": form})
    messages.success(
        request,
        _(
            "Your request is on its way to the Portal Admins of this account. Once one of them "
            "accepts it, this list shows the account."
        ),
    )
    return redirect("related_account_list")


@requires(Permission.MANAGE_USERS)
@require_POST
def relation_decide(request: PortalRequest, pk: int) -> HttpResponse:
    """Accept or decline the request of a further seller."""
    accept = request.POST.get("accept") == "1"
    try:
        with missing_is_404():
            relation = decide_relation(actor=request.user, relation_id=pk, accept=accept)
        messages.success(request, _decided(relation))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("account_detail", request.user.account_id)


def _decided(relation: SellingRelation) -> str:
    if relation.status == RelationStatus.ACCEPTED:
        return _("Accepted: %(seller)s can now sell to your account.") % {"seller": relation.seller.name}
    return _("Declined: %(seller)s cannot sell to your account.") % {"seller": relation.seller.name}
