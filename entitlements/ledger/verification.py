"""Recomputation of every balance from the movements (E11)."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

BALANCES = ("quantity", "available", "split", "activated")
# One pass over both tables; the database groups and compares, and returns differences only.
RECOMPUTE = """
SELECT item.id, item.quantity, item.available, item.split, item.activated,
  coalesce(moved.quantity, 0), coalesce(moved.available, 0) - coalesce(sold.copies, 0), coalesce(sold.copies, 0),
  coalesce(moved.activated, 0)
FROM entitlements_lineitem item
LEFT JOIN (
  SELECT item_id, sum(copies * effect.quantity) AS quantity, sum(copies * effect.available) AS available,
    sum(copies * effect.activated) AS activated
  FROM entitlements_movement JOIN ledger_effect effect USING (kind) GROUP BY item_id
) moved ON moved.item_id = item.id
LEFT JOIN (
  SELECT parent_id, sum(copies * effect.parent_split) AS copies
  FROM entitlements_movement JOIN ledger_effect effect USING (kind) WHERE parent_id IS NOT NULL GROUP BY parent_id
) sold ON sold.parent_id = item.id
WHERE item.quantity <> coalesce(moved.quantity, 0)
  OR item.split <> coalesce(sold.copies, 0)
  OR item.activated <> coalesce(moved.activated, 0)
  OR item.available <> coalesce(moved.available, 0) - coalesce(sold.copies, 0)
ORDER BY item.id
"""


RECOMPUTE_ON_DEVICES = """
SELECT activation.id, activation.copies, coalesce(moved.copies, 0)
FROM entitlements_activation activation
LEFT JOIN (
  SELECT activation_id, sum(copies * effect.activated) AS copies
  FROM entitlements_movement JOIN ledger_effect effect USING (kind)
  WHERE activation_id IS NOT NULL GROUP BY activation_id
) moved ON moved.activation_id = activation.id
WHERE activation.copies <> coalesce(moved.copies, 0)
ORDER BY activation.id
"""


@dataclass(frozen=True)
class Difference:
    """A line item whose balances differ from its movements; both as (quantity, available, split, activated)."""

    item_id: int
    stored: tuple[int, ...]
    computed: tuple[int, ...]

    def __str__(self) -> str:
        parts = [
            f"{name} is {stored}, the movements say {computed}"
            for name, stored, computed in zip(BALANCES, self.stored, self.computed, strict=True)
            if stored != computed
        ]
        return f"line item {self.item_id}: {'; '.join(parts)}"


@dataclass(frozen=True)
class DifferenceOnDevice:
    """An activation whose copies differ from its movements."""

    activation_id: int
    stored: int
    computed: int

    def __str__(self) -> str:
        return f"activation {self.activation_id}: copies is {self.stored}, the movements say {self.computed}"


def differences() -> Iterator[Difference]:
    """Yield every line item whose balances differ from its movements, by number (E11)."""
    with connection.cursor() as cursor:
        cursor.execute(RECOMPUTE)
        for item_id, *values in cursor:
            yield Difference(item_id, tuple(values[:4]), tuple(int(value) for value in values[4:]))


def differences_on_devices() -> Iterator[DifferenceOnDevice]:
    """Yield every activation whose copies differ from its movements, by number (E11)."""
    with connection.cursor() as cursor:
        cursor.execute(RECOMPUTE_ON_DEVICES)
        for activation_id, stored, computed in cursor:
            yield DifferenceOnDevice(activation_id, stored, int(computed))
