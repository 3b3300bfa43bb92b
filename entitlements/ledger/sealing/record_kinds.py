"""Kinds of sealed records beside movements, and their rows.

A new kind is an entry here, a trigger that queues its rows (ledger/*.sql), and a row of RecordBackfill in the migration
that introduces it, for the rows that exist already. Neither the facts of a kind nor their texts can change afterwards.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from accounts.models import AuditEntry
from entitlements.ledger.sealing.records import record_text
from entitlements.models import License, LineItem


@dataclass(frozen=True)
class RecordKind:
    """A kind of record; ``facts`` maps names in the record to columns, and each record has the row's number."""

    name: str
    noun: str
    rows: QuerySet[Any, Any]
    facts: dict[str, str]

    def records(self, subjects: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yield number and record of each of these rows that exists, by number."""
        rows = self.rows.filter(pk__in=list(subjects)).order_by("pk")
        for pk, *values in rows.values_list("pk", *self.facts.values()):
            yield pk, self._record(pk, values)

    def _record(self, pk: int, values: list[Any]) -> bytes:
        return record_text({"number": pk} | dict(zip(self.facts, values, strict=True)))


def _rows(model: type[Model], **conditions: Any) -> QuerySet[Any, Any]:
    return model._default_manager.filter(**conditions)


KINDS = {
    kind.name: kind
    for kind in (
        RecordKind(
            "item",
            "line item",
            _rows(LineItem),
            {
                "code": "verification_code",
                "entitlement": "entitlement_id",
                "product": "product_id",
                "parent": "parent_id",
                "owner": "owner_id",
                "seller": "seller_id",
                "distributor": "distributor_id",
                "installer": "installer_id",
                "end_customer": "end_customer_id",
                "created_by": "created_by_id",
                "time": "created_at",
            },
        ),
        RecordKind(
            "license",
            "license",
            _rows(License),
            {
                "license": "license_id",
                "activation": "activation_id",
                "copies": "copies",
                "digest": "digest",
                "key": "key_id",
                "time": "issued_at",
            },
        ),
        RecordKind(
            "license-end",
            "end of license",
            _rows(License, ended_at__isnull=False),
            {"license": "license_id", "time": "ended_at"},
        ),
        RecordKind(
            "audit",
            "audit entry",
            _rows(AuditEntry),
            {
                "actor": "actor_id",
                "action": "action",
                "about": "object_type",
                "about_number": "object_id",
                "reason": "reason",
                "details": "details",
                "time": "created_at",
            },
        ),
    )
}
