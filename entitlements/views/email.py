"""View → Email (E9)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.forms.email import EmailForm
from entitlements.items.predicates import may_hand_on, may_split
from entitlements.items.rows import item_rows
from entitlements.items.shortcuts import MAILS_SHOWN, SPLITS_SHOWN, load_party_item, require, shown
from entitlements.models import LineItem
from entitlements.services.mailing import email_line_items, mailable
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.views import posted, submit


@requires(Permission.SEND_MAIL)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_email(request: PortalRequest, pk: int) -> HttpResponse:
    """Sends an item's Activation ID; to the owner of what was split further it offers the mails of the splits."""
    item = load_party_item(request.user, pk)
    require(request.method != "POST" or may_hand_on(request.user, item))
    form = EmailForm(posted(request), actor=request.user, item=item, lines=mailable(item).count())
    mails = submit(form, email_line_items, keyed=True, actor=request.user, item_id=pk)
    if mails is None:
        return _show(request, item, form)
    _say_sent(request, len(mails))
    return redirect("line_item_email", pk=pk)


def _say_sent(request: PortalRequest, count: int) -> None:
    sentence = ngettext(
        "%(count)s e-mail is on its way. Its fate stands below.",
        "%(count)s e-mails are on their way. Their fate stands below.",
        count,
    )
    messages.success(request, sentence % {"count": count})


def _show(request: PortalRequest, item: LineItem, form: EmailForm) -> HttpResponse:
    context = {
        "row": shown(request.user, item),
        "form": form,
        "may_send": may_hand_on(request.user, item),
        "obstacle": _obstacle(item),
        "mails": item.mails.order_by("-pk")[:MAILS_SHOWN],
        "is_owner": may_split(request.user, item),
        "splits": item_rows(request.user, _own_splits(request, item)),
    }
    return render(request, "entitlements/line_item_email.html", context)


def _obstacle(item: LineItem) -> str:
    """E3."""
    return "" if item.is_usable else _("Only line items that are deployed and not expired can be e-mailed.")


def _own_splits(request: PortalRequest, item: LineItem) -> list[LineItem]:
    """The newest splits that the owner of the item can mail."""
    splits = LineItem.objects.visible_to(request.user).filter(parent=item, seller=request.user.account)
    usable = splits.deployed().not_expired().select_related("product", "entitlement")
    return list(usable.order_by("-pk")[:SPLITS_SHOWN])
