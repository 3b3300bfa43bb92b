"""Verification of a certificate's code (E10)."""

from dataclasses import dataclass
from datetime import date, datetime

from accounts.models import AuditEntry
from entitlements.models import LineItem, State
from entitlements.models.kinds import Action


@dataclass(frozen=True)
class VerifiedLine:
    """All facts that the public page may show of a line: no name, no Activation ID, no order number (E10)."""

    product_name: str
    part_number: str
    quantity: int
    unit: str
    state: str
    is_expired: bool
    starts_on: date
    expires_on: date
    replaced_at: datetime | None


def verified_lines(code: str) -> list[VerifiedLine]:
    """Return the line with this code, or no line where the code is not genuine (E10).

    A draft has no certificate yet.
    """
    if not code.isprintable():  # PostgreSQL takes no NUL in a text
        return []
    issued = LineItem.objects.exclude(state=State.DRAFT).select_related("product")
    return [_line(item) for item in issued.filter(verification_code=code)]


def _line(item: LineItem) -> VerifiedLine:
    return VerifiedLine(
        product_name=item.product.name,
        part_number=item.product.part_number,
        quantity=item.quantity,
        unit=item.product.unit,
        state=item.state,
        is_expired=item.is_expired,
        starts_on=item.starts_on,
        expires_on=item.expires_on,
        replaced_at=_replaced_at(item),
    )


def _replaced_at(item: LineItem) -> datetime | None:
    """Return when the Activation ID was last replaced, or None (E5).

    Earlier certificates show an ID that is not valid any more.
    """
    replaced = AuditEntry.objects.about(item).filter(action=Action.ACTIVATION_ID_REPLACED)
    return replaced.values_list("created_at", flat=True).first()
