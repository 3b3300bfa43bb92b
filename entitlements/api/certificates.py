"""Certificates of line items and entitlements (E10, L7)."""

from typing import Any, Literal

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from accounts.models import User
from accounts.permissions import Permission
from accounts.quotas import Quota, spend
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.problems import Problem
from entitlements.certificates.services.data import signed_certificate
from entitlements.certificates.services.render import (
    certificate_context,
    certificate_filename,
    certified_items,
    render_certificate,
)
from entitlements.items.predicates import is_party
from entitlements.models import LineItem, State
from mxportal.shared.views import download

router = Router(tags=["Certificates"])


class CertificateQuery(Schema):
    """One line item, or all of its entitlement; English or German. By default, the language of the request."""

    whole_entitlement: bool = False
    language: Literal["en", "de"] | None = None


PDF = "application/pdf"
BYTES = "application/octet-stream"  # which generators of clients know


def described(schema: dict[str, Any], *media_types: str) -> dict[str, Any]:
    """Return the description of answers that are not JSON of ours."""
    content = {media_type: {"schema": schema} for media_type in media_types}
    return {"responses": {200: {"description": "OK", "content": content}}}


@router.get(
    "/items/{int:item_id}/certificate.pdf",
    auth=Token(Permission.VIEW),
    openapi_extra=described({"type": "string", "format": "binary"}, PDF, BYTES),
)
def certificate_pdf(request: TokenRequest, item_id: int, query: Query[CertificateQuery]) -> HttpResponse:
    """Get the certificate as PDF/A-3, with its signed data attached."""
    items = _certified(request.user, item_id, query)
    spend(request.user, Quota.DOCUMENTS)
    content = render_certificate(items=items, language=_language(query))
    return download(content, certificate_filename(items), request.get_preferred_type([PDF, BYTES]) or PDF)


@router.get(
    "/items/{int:item_id}/certificate.json",
    auth=Token(Permission.VIEW),
    openapi_extra=described({"type": "object"}, "application/json"),
)
def certificate_json(request: TokenRequest, item_id: int, query: Query[CertificateQuery]) -> HttpResponse:
    """Get the signed data of the certificate in canonical form, byte for byte as it was signed."""
    items = _certified(request.user, item_id, query)
    with override(_language(query)):
        content = signed_certificate(certificate_context(items), items)
    return HttpResponse(content, content_type="application/json")


def _certified(actor: User, item_id: int, query: CertificateQuery) -> list[LineItem]:
    """Return the lines of the certificate, for owner, seller, serving account and MOBOTIX.

    Drafts and obsolete lines have no certificate.
    """
    items = LineItem.objects.visible_to(actor).select_related("product", "entitlement__owner")
    item = items.get(pk=item_id)
    if not is_party(actor, item):
        raise PermissionDenied
    alone = [] if item.state in (State.DRAFT, State.OBSOLETE) else [item]
    found = certified_items(item.entitlement) if query.whole_entitlement else alone
    if not found:
        raise Problem(409, "no-certificate", _("A line item in this state has no certificate."))
    return found


def _language(query: CertificateQuery) -> str:
    return query.language or get_language() or "en"
