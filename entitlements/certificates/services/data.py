"""The data of a certificate, as signed JSON with the proofs of its movements, which is attached to the PDF (L7)."""

from datetime import date
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from entitlements.ledger.sealing.proofs import evidence_for
from entitlements.ledger.signing import Domain, active_key, sign
from entitlements.models import LineItem
from mxportal.shared.canonical import canonical_json
from mxportal.shared.pdf import Attached

CERTIFICATE_FORMAT = "mx-license-certificate/1"
ATTACHMENT_NAME = "certificate.json"


def attached_certificate(context: dict[str, Any], items: list[LineItem]) -> Attached:
    """Return the attachment of the certificate of these items; ``context`` comes from ``certificate_context``."""
    return Attached(
        name=ATTACHMENT_NAME,
        content=signed_certificate(context, items),
        description=_("The signed data of this certificate, with proofs from the ledger"),
    )


def signed_certificate(context: dict[str, Any], items: list[LineItem]) -> bytes:
    """Return the certificate's data as canonical JSON.

    The signature covers the prefix ``certificate/`` and the same data without ``signature``.
    """
    evidence = evidence_for(items)
    lines = [
        _line(shown, item) | {"movements": evidence.movements[item.pk]}
        for shown, item in zip(context["lines"], items, strict=True)
    ]
    data = {"format": CERTIFICATE_FORMAT, "certificate": _certificate(context, lines), "head": evidence.head}
    key = active_key()
    signature = sign(key, Domain.CERTIFICATE, canonical_json(data)).hex()
    return canonical_json(data | {"signature": {"key": key.key_id, "value": signature}})


def _certificate(context: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    copied = ("issuer", "owner", "seller", "entitlement_id", "order_number")
    return {name: context[name] for name in copied} | {
        "issued_on": context["issued_on"].isoformat(),
        "language": get_language() or "en",
        "lines": lines,
    }


def _line(shown: dict[str, Any], item: LineItem) -> dict[str, Any]:
    copied = ("activation_id", "product_name", "part_number", "quantity", "verify_url")
    return {name: shown[name] for name in copied} | {
        "product": str(item.product_id),
        "verification_code": item.verification_code,
        "starts_on": shown["starts_on"].isoformat(),
        "expires_on": _day(shown["expires_on"]),
    }


def _day(day: date | None) -> str:
    return day.isoformat() if day else "permanent"
