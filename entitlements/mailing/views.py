"""The pages View → Email and "E-mails": list, send again, correct an address (E9, N2, N8)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import PortalRequest
from accounts.permissions import Permission, requires
from entitlements.items.predicates import may_hand_on, may_split
from entitlements.items.rows import item_rows
from entitlements.items.shortcuts import MAILS_SHOWN, SPLITS_SHOWN, deny_unless, load_party_item, shown
from entitlements.mailing.forms import AddressForm, EmailForm, MailFilter
from entitlements.mailing.pages.mail_list import list_mails, mail_rows, mail_server_trouble, party_item
from entitlements.mailing.services.queue import email_line_items, mailable
from entitlements.mailing.services.resending import (
    MAX_SENT_AGAIN,
    correct_and_send_again,
    correctable,
    failed_mails,
    send_again,
    send_all_again,
)
from entitlements.models import LineItem
from mxportal.shared.drafts import keeps_draft
from mxportal.shared.forms import KeyedForm
from mxportal.shared.pagination import capped_count, paginate
from mxportal.shared.views import missing_is_404, page_before, posted, submit
from notifications.models import Mail
from notifications.registry import kind_label


@requires(Permission.SEND_MAIL)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def line_item_email(request: PortalRequest, pk: int) -> HttpResponse:
    """Send an item's Activation ID; if it was split further, offer the owner the mails of the splits (E9)."""
    item = load_party_item(request.user, pk)
    deny_unless(request.method != "POST" or may_hand_on(request.user, item))
    form = EmailForm(posted(request), actor=request.user, item=item, lines=mailable(item).count())
    mails = submit(form, email_line_items, keyed=True, actor=request.user, item_id=pk)
    if mails is None:
        return _show(request, item, form)
    _say_sent(request, len(mails))
    return redirect("line_item_email", pk=pk)


def _say_sent(request: PortalRequest, count: int) -> None:
    sentence = ngettext(
        "%(count)s e-mail is on its way. You can follow it below.",
        "%(count)s e-mails are on their way. You can follow them below.",
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
    return render(request, "entitlements/mailing/line_item_email.html", context)


def _obstacle(item: LineItem) -> str:
    """Say why the item cannot be mailed (E3); "" if it can."""
    return "" if item.is_usable else _("Only line items that are deployed and not expired can be e-mailed.")


def _own_splits(request: PortalRequest, item: LineItem) -> list[LineItem]:
    """Return the newest splits that the owner of the item can mail."""
    splits = LineItem.objects.visible_to(request.user).filter(parent=item, seller=request.user.account)
    usable = splits.deployed().not_expired().select_related("product", "entitlement")
    return list(usable.order_by("-pk")[:SPLITS_SHOWN])


@requires(Permission.VIEW)
@require_safe
def mail_list(request: PortalRequest) -> HttpResponse:
    """List the mails that the reader may see, newest first, in keyset pages (N2)."""
    form = MailFilter(request.GET, actor=request.user)
    filters = form.filters()
    item = party_item(request.user, filters["item"]) if filters["item"] else None
    context: dict[str, Any] = {
        "form": form,
        "item": item,
        "may_send_all": request.user.may(Permission.SEND_MAIL),
        "mail_server": mail_server_trouble(request.user),
    }
    if not form.mistakes() and (item or not filters["item"]):
        listing = list_mails(actor=request.user, **filters)
        page = paginate(request, listing.rows, order=listing.order, parts=listing.parts)
        context |= {
            "page": page,
            "rows": mail_rows(request.user, [listing.mail_of(row) for row in page.items]),
            "count": listing.count(),
        }
    return render(request, "entitlements/mailing/mail_list.html", context)


@requires(Permission.SEND_MAIL)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def mail_send_all_again(request: PortalRequest) -> HttpResponse:
    """Send every failed mail again that the reader may, after a confirmation (N2)."""
    form = KeyedForm(posted(request))
    sent = submit(form, send_all_again, keyed=True, actor=request.user)
    if sent is None:
        count = capped_count(failed_mails(request.user))
        context = {"form": form, "count": count, "most": MAX_SENT_AGAIN}
        return render(request, "entitlements/mailing/mail_send_all_again.html", context)
    sentence = ngettext(
        "%(count)s e-mail is on its way again.", "%(count)s e-mails are on their way again.", sent
    )
    messages.success(request, sentence % {"count": sent})
    return redirect("mail_list")


@requires(Permission.SEND_MAIL)
@require_POST
def mail_send_again(request: PortalRequest, pk: int) -> HttpResponse:
    """Make a failed or waiting mail due now, and return to the page that showed it (N2)."""
    try:
        mail = send_again(actor=request.user, mail_id=pk)
    except Mail.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(
            request, _("The e-mail to %(address)s is on its way again.") % {"address": mail.recipient_email}
        )
    return redirect(page_before(request, reverse("home")))


@requires(Permission.MANAGE_USERS)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_draft()
def mail_correct(request: PortalRequest, pk: int) -> HttpResponse:
    """Correct the address of a mail's person and send the mail again (N8)."""
    with missing_is_404():
        mail, person = correctable(request.user, pk)
    form = AddressForm(posted(request), initial={"email": person.email})
    sent = submit(form, correct_and_send_again, actor=request.user, mail_id=pk)
    if sent is None:
        context = {"form": form, "mail": mail, "person": person, "kind": kind_label(mail.kind)}
        return render(request, "entitlements/mailing/mail_correct.html", context)
    messages.success(
        request, _("The e-mail to %(address)s is on its way again.") % {"address": sent.recipient_email}
    )
    return redirect("mail_list")
