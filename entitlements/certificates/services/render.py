"""The certificate of a line item or of a whole entitlement, as PDF (E10)."""

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


def certified_items(entitlement: Entitlement) -> list[LineItem]:
    """Return the lines that a certificate of the whole entitlement names: neither drafts nor obsolete ones (E10)."""
    lines = entitlement.line_items.exclude(state__in=[State.DRAFT, State.OBSOLETE])
    return list(lines.select_related("product").order_by("pk"))


def render_certificate(*, items: list[LineItem], language: str) -> bytes:
    """Return the PDF of some lines of one entitlement, with its signed data (E10, L7).

    The caller checks who may have it. Raises PdfUnavailable with a sentence for the page where the machine lacks Pango.
    """
    with translation.override(language):
        context = certificate_context(items)
        attached = attached_certificate(context, items)
    return render_pdf(
        template=TEMPLATE, context=context, stylesheet=STYLESHEET, language=language, attached=attached
    )


def certificate_context(items: list[LineItem]) -> dict[str, Any]:
    """Return what the certificate says, in the active language."""
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
    """Return the account to name as seller (E17).

    For an End customer's item this is the account that looks after it, even if another one sold it; for any other item
    its seller.
    """
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
    """Return a file name that names the order and tells no secret."""
    return f"certificate-{items[0].entitlement.entitlement_id}.pdf"
