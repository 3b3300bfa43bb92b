"""Verification of the counted returns, which decide the year's limit, against the movements (L4)."""

from collections.abc import Iterator

from django.db import connection

from entitlements.ledger.findings import Finding
from entitlements.models import MovementKind

# A counted return has the time of its service, a movement the time of its transaction: they are never a day apart.
ANOTHER_TIME = {
    "postgresql": "counted.first < expected.at - interval '1 day' OR counted.last > expected.at + interval '1 day'",
    "sqlite": "julianday(counted.first) < julianday(expected.at) - 1"
    " OR julianday(counted.last) > julianday(expected.at) + 1",
}
# One statement, so that it sees a single moment; the database compares, and returns differences only.
DIFFERENCES = """
WITH RECURSIVE expected (movement_id, item_id, copies, at) AS (
  SELECT id, item_id, copies, created_at FROM entitlements_movement WHERE kind = %s
  UNION ALL
  SELECT expected.movement_id, item.parent_id, expected.copies, expected.at
  FROM expected JOIN entitlements_lineitem item ON item.id = expected.item_id WHERE item.parent_id IS NOT NULL
), counted AS (
  SELECT movement_id, item_id, count(*) AS times, sum(copies) AS copies,
    min(returned_at) AS first, max(returned_at) AS last
  FROM entitlements_countedreturn GROUP BY movement_id, item_id
)
SELECT expected.movement_id, expected.item_id, expected.copies, counted.times, counted.copies, counted.first
FROM expected LEFT JOIN counted ON counted.movement_id = expected.movement_id AND counted.item_id = expected.item_id
WHERE counted.times IS NULL OR counted.times <> 1 OR counted.copies <> expected.copies OR {another_time}
UNION ALL
SELECT counted.movement_id, counted.item_id, 0, counted.times, counted.copies, counted.first
FROM counted LEFT JOIN expected ON expected.movement_id = counted.movement_id AND expected.item_id = counted.item_id
WHERE expected.movement_id IS NULL
ORDER BY 1, 2
"""


def return_findings() -> Iterator[Finding]:
    """Yield every return that does not count exactly once, with its copies and time, for each level (L4)."""
    statement = DIFFERENCES.format(another_time=ANOTHER_TIME[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(statement, [MovementKind.RETURN])
        for movement, item, copies, times, counted, at in cursor:
            expected = f"{copies} copies, counted once, on the day of the movement" if copies else "none"
            found = f"{int(counted)} copies in {times} rows, from {str(at)[:10]} on" if times else "none"
            yield Finding(f"return {movement} as line item {item} counts it", expected, found)
