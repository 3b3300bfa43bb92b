"""E10: the certificate of a line item or of a whole entitlement, as PDF."""

from typing import Any

import segno
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import mark_safe

from accounts.models import Account, Tier
from entitlements.certificates.services.data import attached_certificate
from entitlements.models import Entitlement, LineItem, State, today
from mxportal.shared.pdf import render_pdf

TEMPLATE = "certificates/certificate.html"
STYLESHEET = "css/certificate.css"


def certified(entitlement: Entitlement) -> list[LineItem]:
    """The lines that a certificate of the whole entitlement names: neither drafts nor obsolete ones."""
    lines = entitlement.line_items.exclude(state__in=[State.DRAFT, State.OBSOLETE])
    return list(lines.select_related("product").order_by("pk"))


def render_certificate(*, items: list[LineItem], language: str) -> bytes:
    """The PDF of some lines of one entitlement, with its signed data (L7). The caller has checked who may have it.

    Raises PdfUnavailable with a sentence for the page where the machine lacks Pango.
    """
    with translation.override(language):
        context = certificate_context(items)
        attached = attached_certificate(context, items)
    return render_pdf(
        template=TEMPLATE, context=context, stylesheet=STYLESHEET, language=language, attached=attached
    )


def certificate_context(items: list[LineItem]) -> dict[str, Any]:
    """What the certificate says, in the language that is active."""
    entitlement = items[0].entitlement
    issuer = Account.objects.get(tier=Tier.MOBOTIX)
    return {
        "issuer": _party(issuer),
        "owner": _party(entitlement.owner),
        "seller": current_seller(items[0]).name,
        "entitlement_id": entitlement.entitlement_id,
        "order_number": entitlement.order_number,
        "issued_on": today(),
        "lines": [_line(item) for item in items],
    }


def current_seller(item: LineItem) -> Account:
    """E17: who looks after an End customer's item, also where another account sold it; of any other item its seller."""
    return item.serving_account or item.entitlement.seller


def _party(account: Account) -> dict[str, Any]:
    return {"name": account.name, "address": account.address_lines()}


def _line(item: LineItem) -> dict[str, Any]:
    url = settings.SITE_URL + reverse("verify", args=[item.verification_code])
    return {
        "activation_id": item.activation_id,
        "product_name": item.product.name,
        "part_number": item.product.part_number,
        "quantity": item.quantity,
        "starts_on": item.starts_on,
        "expires_on": None if item.is_permanent else item.expires_on,
        "verify_url": url,
        "qr_svg": mark_safe(segno.make(url, error="m").svg_inline(border=0, omitsize=True)),
    }


def certificate_filename(items: list[LineItem]) -> str:
    """A name that tells the order and no secret."""
    return f"certificate-{items[0].entitlement.entitlement_id}.pdf"
