"""Render the mails of this app at delivery, because an Activation ID is a secret (N4)."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Tier, User
from accounts.visibility import visible_names
from entitlements.activation.pages.downloads import attached_licenses
from entitlements.activation.services.licenses import licenses_to_attach
from entitlements.certificates.services.render import certificate_filename, current_seller, render_certificate
from entitlements.ledger.sealing.anchors import head_document
from entitlements.ledger.sealing.publishing import head_name
from entitlements.mailing.pages.notices import digest_of, notice_of
from entitlements.mailing.services.expiring import gets_digest, wants_notices
from entitlements.mailing.services.queue import has_present_id
from entitlements.models import BulkSplit, LineItem, Movement, NoticeRun, PublishedHead
from entitlements.models.kinds import MailKind
from mxportal.shared.fields import fold
from notifications.messages import Message, render_message
from notifications.models import Mail
from notifications.registry import renders

MAX_LINES_IN_MAIL = 50  # the others are counted


@renders(MailKind.ACTIVATION, _("Activation ID"))
def render_activation(mail: Mail) -> Message | None:
    """Render Activation IDs of one or more lines of an entitlement (E9).

    Return None if none of them is usable any more.
    """
    lines = LineItem.objects.filter(pk__in=mail.context["items"]).select_related(
        "product", "entitlement__owner", "entitlement__seller", "serving_account"
    )
    items = [item for item in lines.order_by("pk") if item.is_usable and has_present_id(mail, item)]
    if not items:
        return None
    attachments = _certificate(items) if mail.context.get("certificate") else []
    licenses, left_out = licenses_to_attach(items) if mail.context.get("licenses") else ([], 0)
    context = _context(mail, items) | {"licenses": len(licenses), "left_out": left_out}
    files = [*attachments, *attached_licenses(licenses)]
    return render_message("emails/activation", context, attachments=files)


def _context(mail: Mail, items: list[LineItem]) -> dict[str, Any]:
    """An item's recipients are its owner's people, or whom its seller named: the whole ID is for them."""
    entitlement = items[0].entitlement
    return {
        "mail": mail,
        "lines": [_line(item) for item in items],
        "entitlement": entitlement,
        "owner": entitlement.owner,
        "seller": current_seller(items[0]),
        "certificate": bool(mail.context.get("certificate")),
        "replaces": mail.context.get("replaces"),
        "activate_url": _activate_url(entitlement.owner),
    }


def _activate_url(owner: Account) -> str:
    """Return the link for End customers, who have no login (L3); "" for others, who find activation in the portal."""
    if owner.tier != Tier.END_CUSTOMER:
        return ""
    return settings.SITE_URL + reverse("offline_activation")


def _line(item: LineItem) -> dict[str, Any]:
    return {
        "activation_id": item.activation_id,
        "product": item.product.name,
        "part_number": item.product.part_number,
        "quantity": item.quantity,
        "starts_on": item.starts_on,
        "expires_on": item.expires_on,
        "verify_url": settings.SITE_URL + reverse("verify", args=[item.verification_code]),
    }


def _certificate(items: list[LineItem]) -> list[tuple[str, bytes, str]]:
    content = render_certificate(items=items, language=get_language() or "en")
    return [(certificate_filename(items), content, "application/pdf")]


@renders(MailKind.LEDGER_HEAD, _("Head of the ledger"))
def render_ledger_head(mail: Mail) -> Message | None:
    """Render the ledger's head of one day, to be kept; text and attachments say the same (E11)."""
    published = PublishedHead.objects.select_related("head__key").get(day=mail.context["day"])
    document, stamp = head_document(published.head), bytes(published.stamp)
    attachments = [(head_name(published.day), document, "application/json")]
    if stamp:
        attachments.append((head_name(published.day, "tsr"), stamp, "application/timestamp-reply"))
    context = {"mail": mail, "this": published, "root": bytes(published.head.root).hex()}
    return render_message("emails/ledger_head", context, attachments=attachments)


@renders(MailKind.UNDONE, _("Copies taken back"))
def render_undone(mail: Mail) -> Message | None:
    """Render the mail that says that copies were taken back (E8)."""
    item = LineItem.objects.select_related("product", "entitlement__seller", "serving_account").get(
        pk=mail.context["item"]
    )
    context = {
        "mail": mail,
        "item": item,
        "copies": mail.context["copies"],
        "seller": current_seller(item),
        "tail": item.activation_id_tail,
    }
    return render_message("emails/undone", context)


@renders(MailKind.EXPIRING, _("Expiring entitlements"))
def render_expiring(mail: Mail) -> Message | None:
    """Render what expires (N5). Return None if the person does not want it any more, or nothing is left to say."""
    person = _recipient_if_wanted(mail, wants_notices(User.objects.all()))
    notice = notice_of(person, NoticeRun.objects.get(pk=mail.context["run"])) if person else None
    return render_message("emails/expiring", {"mail": mail, "this": notice}) if notice else None


@renders(MailKind.DIGEST, _("Weekly digest of expiring entitlements"))
def render_digest(mail: Mail) -> Message | None:
    """Render for MOBOTIX what expires, by distributor (N5). Return None if it is not needed any more."""
    person = _recipient_if_wanted(mail, gets_digest(User.objects.all()))
    digest = digest_of(person) if person else None
    return render_message("emails/digest", {"mail": mail, "this": digest}) if digest else None


def _recipient_if_wanted(mail: Mail, people: QuerySet[User]) -> User | None:
    """Return the person if this address is still theirs and they still want the mail."""
    people = people.filter(pk=mail.context["user"], email_key=fold(mail.recipient_email))
    return people.select_related("account").first()


@renders(MailKind.CORRECTED, _("Quantity changed"))
def render_corrected(mail: Mail) -> Message | None:
    """Render the mail that says that MOBOTIX changed quantities of items whose contact the reader is (E15)."""
    changes = dict(mail.context["changes"])
    items = LineItem.objects.filter(pk__in=list(changes)[:MAX_LINES_IN_MAIL]).select_related("product")
    lines = [
        {
            "product": item.product.name,
            "part_number": item.product.part_number,
            "tail": item.activation_id_tail,
            "change": f"{changes[item.pk]:+}",
            "quantity": item.quantity,
        }
        for item in items.order_by("pk")
    ]
    return render_message(
        "emails/corrected", {"mail": mail, "lines": lines, "more": len(changes) - len(lines)}
    )


@renders(MailKind.CAME_BACK, _("Copies came back"))
def render_came_back(mail: Mail) -> Message | None:
    """Render the mail about copies that are back on the seller's item; the buyer's name may be withheld (E8, A4)."""
    movement = Movement.objects.select_related("item__product", "parent").get(pk=mail.context["movement"])
    owner_id, source = movement.item.owner_id, movement.parent
    names = visible_names(User.objects.select_related("account").get(pk=mail.context["user"]), [owner_id])
    context = {
        "mail": mail,
        "copies": movement.copies,
        "reason": movement.reason,
        "product": movement.item.product,
        "owner": names[owner_id],
        "tail": movement.item.activation_id_tail,
        "source_tail": source.activation_id_tail if source else "",
        "available": source.available if source else 0,
        "item_url": settings.SITE_URL + reverse("line_item_detail", args=[movement.parent_id]),
    }
    return render_message("emails/came_back", context)


@renders(MailKind.BULK_UNDONE, _("Bulk split undone"))
def render_bulk_undone(mail: Mail) -> Message | None:
    """Render the mail about a bulk split that MOBOTIX undid: all that was left went back to its sources (E8)."""
    bulk = BulkSplit.objects.get(pk=mail.context["bulk"])
    context = {
        "mail": mail,
        "bulk": bulk,
        "items": mail.context["items"],
        "copies": mail.context["copies"],
        "bulk_url": settings.SITE_URL + reverse("bulk_split_detail", args=[bulk.pk]),
    }
    return render_message("emails/bulk_undone", context)
